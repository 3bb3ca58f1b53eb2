"""A full backfill played at each tier: days, how much of the quota lay idle, and the cost.

python -m bench.tiers plays it on the emulator's clock, through the product's own planning, gate,
submission and ingestion. One row stands for a hundred, so limits and slices are a hundredth too.
"""

import heapq
import os
import random
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prefect.logging import disable_run_logger

from bench.database import temporary_database
from bench.table import Row, emit
from bench.world import load
from deployments.local.emulator.serve import running
from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import runs, slices
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.room import enqueued_tokens
from tasks.adapters.settings import settings
from tasks.core.errors import NoRoomError
from tasks.core.models import Kind
from tasks.planning.plan import PILOT_SIZE, PlanOptions, make_plan
from tasks.slices import batch as batches
from tasks.slices import submission
from tasks.writing.fetching import fetch
from tasks.writing.ingest import clean_up, ingest_slice

ROWS = 538_865
SCALE = 100
SLICE_ROWS = 5_000
TIERS = (1, 2, 3)
BACKFILL = backfills.get("passage_concepts")
HOUR = 3600.0
QUICKEST, SLOWEST = 1.0, 12.0
ASSUMED = (
    f"Assumed: each job takes {QUICKEST:g} to {SLOWEST:g} hours whatever its size, evenly on a"
    " logarithmic scale. Google says 24 hours at most, mostly much less; users report minutes to"
    " hours. Nothing goes wrong, and 100 slices may be at once."
)


@dataclass(frozen=True)
class Flight:
    """One job's time at the service, by the emulator's clock, and its counted input tokens."""

    begun: float
    ended: float
    tokens: int


class Play:
    """One backfill at one tier, from an empty ledger."""

    def __init__(self, http: httpx.Client, limit: int) -> None:
        self._http = http
        self._limit = limit
        self._random = random.Random(limit)  # noqa: S311 - a repeatable choice, no secret
        self._flying: list[tuple[float, float, str]] = []
        self.flights: list[Flight] = []

    def run(self) -> None:
        """Ask everything after a pilot, which says how tokens are counted; its time is left out."""
        self._ask("pilot", max(1, PILOT_SIZE // SCALE))
        self.flights = []
        self._ask("full", None)

    def _ask(self, kind: Kind, rows: int | None) -> None:
        """Plan, and submit whatever fits, until every slice is ingested."""
        waiting = deque(self._plan(kind, rows))
        while waiting or self._flying:
            while waiting and self._submits(waiting[0]):
                waiting.popleft()
            self._land()

    def _plan(self, kind: Kind, rows: int | None) -> list[str]:
        options = PlanOptions.of(kind, rows, SLICE_ROWS // SCALE, fresh=False)
        plan = make_plan.directly(BACKFILL.name, options, None)
        with connect() as connection:
            runs.approve(connection, plan.run_id, 1e9, "bench")
            return [each.slice_id for each in slices.open_slices(connection, plan.run_id)]

    def _submits(self, slice_id: str) -> bool:
        """Return whether there was room for the slice's job."""
        with connect() as connection:
            uploaded = slices.get(connection, slice_id).input_file
        if uploaded is None:
            file = batches.build.directly(slice_id)
            uploaded = batches.upload.directly(file).name
        seconds = HOUR * QUICKEST * (SLOWEST / QUICKEST) ** self._random.random()
        fault = {"kind": "slow_job", "times": 1, "run_seconds": seconds}
        self._http.delete("/faults").raise_for_status()
        self._http.post("/faults", json=fault).raise_for_status()
        try:
            submission.submit(slice_id, uploaded, None)
        except NoRoomError:
            return False
        begun = self._clock()
        heapq.heappush(self._flying, (begun + seconds, begun, slice_id))
        return True

    def _land(self) -> None:
        """Move the clock to the end of the job that ends next, and take its answers in."""
        ends, begun, slice_id = heapq.heappop(self._flying)
        step = {"advance_seconds": max(0.0, ends - self._clock())}
        self._http.post("/clock", json=step).raise_for_status()
        with connect() as connection:
            job_name = str(slices.get(connection, slice_id).job_name)
        output = self._output(job_name)
        ingest_slice(slice_id, fetch.directly(slice_id, output))
        clean_up(slice_id)
        with connect() as connection:
            tokens = slices.get(connection, slice_id).input_tokens
        self.flights.append(Flight(begun, ends, tokens))

    def _clock(self) -> float:
        return float(self._http.get("/clock").raise_for_status().json()["now"])

    def _output(self, job_name: str) -> str:
        while True:
            job = gemini().get_job(job_name)
            if job.is_ready:
                return str(job.output_file)

    # What came of it

    @property
    def days(self) -> float:
        """From the first submission to the last commit."""
        ended = max(flight.ended for flight in self.flights)
        return (ended - self._begun) / HOUR / 24

    @property
    def _begun(self) -> float:
        return min(flight.begun for flight in self.flights)

    @property
    def idle(self) -> float:
        """The share of the limit that nothing waited in, while slices still waited outside."""
        until = max(flight.begun for flight in self.flights)
        used = sum(
            flight.tokens * (min(flight.ended, until) - flight.begun) for flight in self.flights
        )
        whole = self._limit * (until - self._begun)
        return 1 - used / whole if whole else 0.0


def main() -> None:
    """Print one line for each tier."""
    print(ASSUMED)
    print("tier  may wait (tokens)  jobs  at once  days  idle while some wait       USD")
    with _world() as http, disable_run_logger():
        for tier in TIERS:
            _play(http, tier)


def _play(http: httpx.Client, tier: int) -> None:
    whole = _limit(tier)
    _configure(whole // SCALE)
    http.post("/reset").raise_for_status()
    http.post("/settings", json={"trouble": 0.0, "enqueued_tokens": whole // SCALE})
    with connect() as connection:
        connection.execute(
            "truncate backfill.generations, backfill.slices, backfill.runs,"
            " backfill.answer_blocks, backfill.projections, backfill.restores cascade"
        )
        connection.execute("truncate passage_concepts, kb_migrations")
    play = Play(http, whole // SCALE)
    play.run()
    usd, missing = _totals()
    if missing:
        raise AssertionError(f"{missing} targets have no end")
    at_once = max(sum(a.begun <= b.begun < a.ended for a in play.flights) for b in play.flights)
    print(
        f"{tier:4}  {whole:17,}  {len(play.flights):4}  {at_once:7}  {play.days:4.1f}"
        f"  {play.idle:20.0%}  {usd:8,.2f}",
        flush=True,
    )
    what = f"{ROWS:,} rows at tier {tier}"
    said = f"{play.days:.1f} days, {play.idle:.0%} of the quota idle, {usd:,.2f} USD"
    emit(Row(11, what, said))


def _totals() -> tuple[float, int]:
    """Return the cost of all rows that ours stand for, and how many targets have no end."""
    with connect() as connection:
        row = connection.execute(
            "select sum(cost_usd) as usd,"
            " (select count(*) from backfill.generations where state = 'planned') as missing"
            " from backfill.slices"
        ).fetchone()
    assert row is not None
    return float(row["usd"]) * SCALE, int(row["missing"])


def _limit(tier: int) -> int:
    """Return what the product's table says of a tier."""
    os.environ.pop("BACKFILL_ENQUEUED_TOKENS", None)
    os.environ["BACKFILL_TIER"] = str(tier)
    settings.cache_clear()
    return int(enqueued_tokens(BACKFILL.model) or 0)


def _configure(enqueued_tokens: int) -> None:
    os.environ["BACKFILL_ENQUEUED_TOKENS"] = str(enqueued_tokens)
    settings.cache_clear()


@contextmanager
def _world() -> Iterator[httpx.Client]:
    """Yield the emulator's own endpoints, with the product pointed at it and at a database."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-tiers-") as place,
        temporary_database("select 1") as database_url,
        running(Path(place) / "emulator", trouble=0.0) as emulator,
        httpx.Client(base_url=f"{emulator.base_url}/_emulator", timeout=30) as http,
    ):
        os.environ |= {
            "BACKFILL_DATABASE_URL": database_url,
            "BACKFILL_GEMINI_URL": emulator.base_url,
            "GEMINI_API_KEY": "a-key",
            "BACKFILL_WORK_DIR": f"{place}/work",
            "BACKFILL_POLL_SECONDS": "0.01",  # a listing is not kept: the clock jumps
        }
        settings.cache_clear()
        apply_migrations()
        load(database_url, ROWS // SCALE)
        yield http


if __name__ == "__main__":
    main()
