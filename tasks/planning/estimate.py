"""What the run would send, receive and cost, before any money is spent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import rows, site
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers, generations, runs, slices
from tasks.adapters.pages import render
from tasks.adapters.postgres import Connection, connect, statements
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.errors import ModelApiError
from tasks.core.markdown import escape
from tasks.core.models import MeasuredTokens, OpenSlice
from tasks.core.money import Estimate, Forecast
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.core.status import duration
from tasks.planning.pricing import Workload, estimated, expected_answers, saved_together
from tasks.slices.requests import billed_tokens, request_bytes, rows_in

_SQL = statements("queries/forecast.sql")

ENOUGH_ANSWERS = 50
"""From so many answers on, their measured usage replaces a counted sample."""

SAMPLE_SIZE = 10


@dataclass(frozen=True, slots=True)
class Past:
    """What this version's own answers and jobs have shown; few answers show nothing.

    Tokens are those of answers of which so many `rows` went together.
    """

    measured: MeasuredTokens | None
    job_hours: float
    rows: int = 1

    @property
    def source(self) -> str:
        """Return where tokens come from once they are measured."""
        return f"measured on {self.measured.answers if self.measured else 0} answers"


def look_back(connection: Connection, backfill: Backfill, rows: int = 1) -> Past:
    """Return what the ledger has measured of this version, where so many rows go together."""
    usage = runs.measured_tokens(connection, backfill, rows)
    enough = usage if usage.answers >= ENOUGH_ANSWERS else None
    return Past(enough, _forecast(connection, backfill).job_hours, rows)


@stage("estimate {name}")
def make_estimate(name: str, run_id: UUID, repeats: str = "") -> Estimate:
    """Return the estimate of what is still open, and price every planned slice by it.

    It says besides what is restored for nothing, and which texts are not asked twice.
    """
    with connect() as connection:
        backfill = backfills.asked(connection, name)
        open_now = slices.open_slices(connection, run_id)
        rows = rows_in(backfill, open_now[0].transport if open_now else "batch")
        past = look_back(connection, backfill, rows)
        restorable = answers.waiting(connection, backfill).ready
        restorable += runs.get(connection, run_id).restored
    estimate = _estimate(backfill, open_now, past, _sample_texts(name, open_now))
    estimate = replace(estimate, restorable=restorable, repeats=repeats)
    with connect() as connection:
        _record(connection, run_id, estimate)
    for note in estimate.notes:
        get_run_logger().warning(note)
    get_run_logger().info(
        "%d targets in %d slices, about %.0f tokens in and %.0f out each (%s): %.4f USD",
        estimate.targets,
        estimate.slices,
        estimate.input_tokens_per_request,
        estimate.output_tokens_per_request,
        estimate.source,
        estimate.usd(),
    )
    return estimate


def estimate_page(name: str, estimate: Estimate, needed: float, rows: Sequence[str] = ()) -> str:
    """Return what a run would send, receive and cost, and how long it may take, as Markdown.

    `rows` are the names of what would be asked, as far as they are to be listed.
    """
    with connect() as connection:
        past = _forecast(connection, backfills.get(name))
    return render(
        "estimate.md",
        name=name,
        estimate=estimate,
        needed=needed,
        forecast=past,
        duration=duration,
        rows=[escape(row) for row in rows],
    )


def _forecast(connection: Connection, backfill: Backfill) -> Forecast:
    """Return how long jobs took and how much answers varied; without any, nothing is known."""
    version = backfill.in_ledger
    jobs = connection.execute(_SQL["past_jobs"], version).fetchone() or {}
    spread = connection.execute(_SQL["token_spread"], version).fetchone() or {}
    return Forecast(
        jobs=jobs["jobs"],
        median_seconds=jobs["median_seconds"],
        slow_seconds=jobs["slow_seconds"],
        few_tokens=spread["few"],
        many_tokens=spread["many"],
    )


def _sample_texts(name: str, open_now: list[OpenSlice]) -> list[str]:
    """Return texts of a few targets, chosen by doc_id, which is as good as at random."""
    if not open_now:
        return []
    with connect() as connection:
        members = generations.members(connection, open_now[0].slice_id)
        chosen = sorted(members, key=lambda member: member.doc_id)[:SAMPLE_SIZE]
        present, _ = rows.current(connection, backfills.get(name), chosen)
    return [target.text for target in present]


def _estimate(
    backfill: Backfill,
    open_now: list[OpenSlice],
    past: Past,
    sample: list[str],
) -> Estimate:
    count = sum(the_slice.request_count for the_slice in open_now)
    guessed = sum(the_slice.estimated_input_tokens for the_slice in open_now)
    transport = open_now[0].transport if open_now else "batch"
    rows = rows_in(backfill, transport)
    if past.measured:
        tokens_in, source = past.measured.input_tokens or 0.0, past.source
    else:
        tokens_in, source = _counted(backfill, sample, rows)
    work = Workload(
        targets=count,
        slices=len(open_now),
        transport=transport,
        request_bytes=int(count * (request_bytes(backfill, rows) + _mean(sample))),
        guessed_input_tokens=guessed,
        input_tokens=tokens_in,
        **expected_answers(backfill, past.measured, rows),
        source=source,
        embedding_tokens=_mean(sample) / BYTES_PER_TOKEN,
        job_hours=past.job_hours,
        rows=rows,
    )
    return estimated(backfill, work)


def _counted(backfill: Backfill, sample: list[str], rows: int) -> tuple[float, str]:
    """Return the tokens of one row's share of a request and how they were found."""
    guess = billed_tokens(backfill, _mean(sample), rows)
    if not sample:
        return guess, f"{BYTES_PER_TOKEN:g} characters a token"
    instruction = site.prompt(backfill)
    try:
        counted = [
            gemini().count_tokens(backfill.model, f"{instruction}\n\n{text}") for text in sample
        ]
        # As it is alone, but for what several have in common.
        tokens_in = mean(counted) - saved_together(backfill, rows)[0]
    except ModelApiError:
        return guess, f"{BYTES_PER_TOKEN:g} characters a token; countTokens did not answer"
    return tokens_in, f"countTokens on {len(counted)} targets, answers as declared"


def _mean(sample: list[str]) -> float:
    return mean(len(text.encode()) for text in sample) if sample else 0.0


def _record(connection: Connection, run_id: UUID, estimate: Estimate) -> None:
    """Price the planned slices so that their sum is the estimate."""
    scale = estimate.input_tokens / estimate.guessed_input_tokens if estimate.targets else 0.0
    how = estimate.transport
    per_input_token = estimate.price.usd(scale, 0, how)
    per_answer = estimate.price.usd(
        0, estimate.output_tokens_per_request, how, searches=estimate.searches_per_request
    )
    per_answer += estimate.embedding_usd(how)
    slices.price(connection, run_id, per_input_token, per_answer)
    runs.record_estimate(connection, run_id, estimate.usd())
