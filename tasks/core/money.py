"""Tokens and searches into dollars, and what a run is expected to cost and to take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.core.wire import Wire

Transport = Literal["batch", "interactive"]
MILLION = 1_000_000
THOUSAND = 1_000

JOB_HOURS = 4.4
"""How long a batch job takes where none has shown it: the mean of 1 to 12 hours, evenly by their
logarithm. Google aims at 24 at most; users report minutes to hours."""

FIRST_DAY = date.min


class Price(BaseModel):
    """USD per million tokens of one model from a day on; `search` is per 1,000 searches.

    Tokens that the service had cached are billed at `cached` in both transports (Batch API guide).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: date = FIRST_DAY
    input: float
    output: float
    batch_input: float
    batch_output: float
    cached: float | None = None
    search: float = 0.0

    def usd(
        self,
        input_tokens: float,
        output_tokens: float,
        transport: Transport,
        *,
        cached_tokens: float = 0.0,
        searches: float = 0.0,
    ) -> float:
        """Return what these cost; cached tokens are among the input's."""
        batch = transport == "batch"
        fresh = self.batch_input if batch else self.input
        cached = fresh if self.cached is None else min(self.cached, fresh)
        tokens = (
            (input_tokens - cached_tokens) * fresh
            + cached_tokens * cached
            + output_tokens * (self.batch_output if batch else self.output)
        )
        return tokens / MILLION + searches * self.search / THOUSAND


def mixed(parts: Sequence[tuple[float, Price]]) -> Price:
    """Return the mean price of parts whose shares sum to 1, as of the first."""
    first = parts[0][1]
    if len(parts) == 1:
        return first
    cached = [
        share * (price.input if price.cached is None else price.cached) for share, price in parts
    ]
    return Price(
        since=first.since,
        input=sum(share * price.input for share, price in parts),
        output=sum(share * price.output for share, price in parts),
        batch_input=sum(share * price.batch_input for share, price in parts),
        batch_output=sum(share * price.batch_output for share, price in parts),
        cached=None if first.cached is None else sum(cached),
        search=sum(share * price.search for share, price in parts),
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """How long answers were: tokens of one, and how much they differ."""

    answers: int
    mean: float
    deviation: float


ENOUGH_ANSWERS = 200
"""From so many answers on, a slice reserves by what they were like, not by what they may be."""

STANDARD_ERRORS = 6.0


def most_output(requests: int, limit: int, spread: Spread | None) -> float:
    """Return the output tokens that so many answers do not exceed, of at most `limit` each.

    The sum of n answers lies within six standard errors, sd * sqrt(n), of n * mean.
    """
    if spread is None or spread.answers < ENOUGH_ANSWERS:
        return float(requests * limit)
    measured = requests * spread.mean + STANDARD_ERRORS * spread.deviation * requests**0.5
    return float(min(requests * limit, measured))


def days_to_ask(tokens: float, enqueued: float, job_hours: float) -> float:
    """Return the days until all is asked, when so many tokens may wait and a job takes so long.

    What waits is filled up again as jobs end, so `enqueued` tokens come through in `job_hours`; the
    last job takes its time whatever it holds.
    """
    return max(1.0, tokens / enqueued) * job_hours / 24


@dataclass(frozen=True, slots=True)
class Offer:
    """What asking the same rows in one way would send, cost and take; None where nobody can say."""

    model: str
    wire: Wire
    transport: Transport
    rows: int
    usd: float
    input_tokens: float
    output_tokens: float
    days: float | None
    upload_bytes: int
    note: str = ""
    quality: str = "not measured"

    @property
    def way(self) -> tuple[Wire, Transport, int]:
        """Return how the model is asked."""
        return self.wire, self.transport, self.rows


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would send, receive and cost; per-request tokens say where they come from.

    `price` is the mean over the days that the run is expected to take; `notes` are sentences that a
    person should read before saying yes. `saved_per_request` is what a row has less in a batch,
    tokens in and out, because several go together. Beside what is asked, `restorable` targets get
    the rows of a kept answer for nothing, and `repeats` says which texts are not asked twice.
    """

    targets: int
    slices: int
    input_bytes: int
    guessed_input_tokens: int
    input_tokens_per_request: float
    output_tokens_per_request: float
    source: str
    model: str
    price: Price
    prices_as_of: date
    transport: Transport = "batch"
    searches_per_request: float = 0.0
    embedding_price: Price | None = None
    embedding_tokens_per_request: float = 0.0
    saved_per_request: tuple[float, float] = (0.0, 0.0)
    tier: str = ""
    days: float | None = None
    offers: tuple[Offer, ...] = ()
    notes: tuple[str, ...] = ()
    restorable: int = 0
    repeats: str = ""

    @property
    def input_tokens(self) -> float:
        """Tokens to send."""
        return self.targets * self.input_tokens_per_request

    @property
    def output_tokens(self) -> float:
        """Tokens to receive."""
        return self.targets * self.output_tokens_per_request

    @property
    def searches(self) -> float:
        """Searches to pay for."""
        return self.targets * self.searches_per_request

    def usd(self, transport: Transport | None = None) -> float:
        """Return the cost of everything that is still to be asked, by the run's own transport."""
        chosen = transport or self.transport
        more = (chosen == "interactive") - (self.transport == "interactive")
        saved_in, saved_out = (more * self.targets * saved for saved in self.saved_per_request)
        answers = self.price.usd(
            self.input_tokens + saved_in,
            self.output_tokens + saved_out,
            chosen,
            searches=self.searches,
        )
        return answers + self.targets * self.embedding_usd(chosen)

    def canary_usd(self) -> float:
        """Return what the first row costs more, because it is asked at once."""
        if self.transport != "batch" or not self.targets:
            return 0.0
        return (self.usd("interactive") - self.usd("batch")) / self.targets

    def embedding_usd(self, transport: Transport) -> float:
        """Return the cost of one target's vector, if it gets one."""
        if self.embedding_price is None:
            return 0.0
        return self.embedding_price.usd(self.embedding_tokens_per_request, 0, transport)


def repeats(twins: int, asked: int, saved: float) -> str:
    """Return in words how many texts are repeats, and what share that saves; empty without any."""
    if not twins:
        return ""
    return (
        f"{twins:,} of {twins + asked:,} texts are repeats, and get the answer of another one:"
        f" {100 * saved:.1f} % less to pay"
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What earlier jobs and answers let one expect; None where there were none."""

    jobs: int
    median_seconds: float | None
    slow_seconds: float | None
    few_tokens: int | None
    many_tokens: int | None

    @property
    def job_hours(self) -> float:
        """Return how long a job is expected to take."""
        return JOB_HOURS if self.median_seconds is None else float(self.median_seconds) / 3600

    def seconds(self, slices: int, at_once: int) -> float | None:
        """Return how long so many jobs take, so many at once, if each takes as long as before."""
        if self.median_seconds is None:
            return None
        return -(-slices // max(1, at_once)) * float(self.median_seconds)


def paid_twice(rows: int, usd: float, whose: str = "") -> str:
    """Return what was paid twice as one more sentence; automations.yaml knows it by its words."""
    if not rows:
        return ""
    return (
        f" {rows:,} rows were paid twice, {usd:.4f} USD{whose}: the service created a second job"
        " later than it was waited for."
    )
