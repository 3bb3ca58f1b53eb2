"""A backfill played on the emulator's clock and bill, through the product's own stages.

One row stands for many, so limits and slices are as much smaller. Each job takes 1 to 12 hours.
"""

import heapq
import os
import random
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from bench.database import temporary_database
from deployments.local.emulator.serve import running
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import runs, slices
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.reference import models, today
from tasks.adapters.room import enqueued_at
from tasks.adapters.settings import settings
from tasks.core.backfill import Backfill
from tasks.core.errors import NoRoomError, QuotaError
from tasks.core.models import Kind, SliceState
from tasks.planning.plan import PILOT_SIZE, PlanOptions, make_plan
from tasks.slices import batch as batches
from tasks.slices import submission
from tasks.slices.again import plan_retries
from tasks.writing.fetching import fetch
from tasks.writing.ingest import clean_up, ingest_slice

SLICE_ROWS = 5_000
PILOT = 5
"""Rows of a pilot at most: enough to see how tokens are counted, and few of a small table."""
HOUR = 3600.0
QUICKEST, SLOWEST = 1.0, 12.0
ASSUMED = (
    f"Assumed: each job takes {QUICKEST:g} to {SLOWEST:g} hours whatever its size, evenly on a"
    " logarithmic scale. Google says 24 hours at most, mostly much less; users report minutes to"
    " hours. Nothing else is wrong than is said, and 100 slices may be at once."
)
FORGET = """
truncate backfill.generations, backfill.slices, backfill.runs, backfill.answer_blocks,
    backfill.projections, backfill.restores, backfill.csv_answers, kb_migrations cascade
"""


@dataclass(frozen=True)
class Flight:
    """One job's time at the service, by the emulator's clock, and its counted input tokens."""

    begun: float
    ended: float
    tokens: int


class Play:
    """One backfill at one tier, from an empty ledger, with some faults on all the while."""

    def __init__(
        self,
        http: httpx.Client,
        backfill: Backfill,
        tier: int,
        scale: int,
        *faults: Mapping[str, Any],
    ) -> None:
        self._http = http
        self._backfill = backfill
        self._scale = scale
        self._limit = (enqueued_at(backfill.model, tier) or 0) // scale
        self._faults = faults
        self._random = random.Random(tier)  # noqa: S311 - a repeatable choice, no secret
        self._flying: list[tuple[float, float, str]] = []
        self._next_seconds = 0.0
        self.flights: list[Flight] = []

    def run(self) -> None:
        """Ask everything after a pilot, which says how tokens are counted; its time is left out."""
        os.environ["BACKFILL_ENQUEUED_TOKENS"] = str(self._limit)
        settings.cache_clear()
        self._http.post("/reset").raise_for_status()
        told = {"trouble": 0.0, "enqueued_tokens": self._limit}
        self._http.post("/settings", json=told).raise_for_status()
        with connect() as connection:
            connection.execute(FORGET)
        self._ask("pilot", max(1, min(PILOT, PILOT_SIZE // self._scale)))
        self.flights = []
        for fault in self._faults:
            self._befall(fault)
        self._ask("full", None)

    def _ask(self, kind: Kind, rows: int | None) -> None:
        """Plan, and submit whatever fits, until every slice is ingested; ask bad ones again."""
        options = PlanOptions.of(kind, rows, max(1, SLICE_ROWS // self._scale), fresh=False)
        run_id = make_plan.directly(self._backfill.name, options, None).run_id
        with connect() as connection:
            runs.approve(connection, run_id, 1e9, "bench")
        self._ask_slices(run_id)
        while plan_retries.directly(self._backfill.name, run_id).targets:
            self._ask_slices(run_id)
        with connect() as connection:
            runs.end(connection, run_id, "finished")

    def _ask_slices(self, run_id: UUID) -> None:
        waiting = deque(self._planned(run_id))
        while waiting or self._flying:
            while waiting and self._submits(waiting[0]):
                waiting.popleft()
            self._land()
            if not waiting and not self._flying:
                waiting.extend(self._planned(run_id))  # the second question, of those with a vector

    @staticmethod
    def _planned(run_id: UUID) -> list[str]:
        with connect() as connection:
            return [each.slice_id for each in slices.open_slices(connection, run_id)]

    def _submits(self, slice_id: str) -> bool:
        """Return whether there was room for the slice's job."""
        with connect() as connection:
            uploaded = slices.get(connection, slice_id).input_file
        if uploaded is None:
            file = batches.build.directly(slice_id)
            uploaded = batches.upload.directly(file).name
        seconds = self._seconds()
        try:
            if submission.submit(slice_id, uploaded, None) is SliceState.RESERVED:
                submission.look(slice_id)  # as whoever finds it after a kill
        except (NoRoomError, QuotaError):
            return False
        self._next_seconds = 0.0
        begun = self._clock()
        heapq.heappush(self._flying, (begun + seconds, begun, slice_id))
        return True

    def _seconds(self) -> float:
        """Return how long the next job will take, which the emulator is told once."""
        if not self._next_seconds:
            self._next_seconds = HOUR * QUICKEST * (SLOWEST / QUICKEST) ** self._random.random()
            self._befall({"kind": "slow_job", "times": 1, "run_seconds": self._next_seconds})
        return self._next_seconds

    def _befall(self, fault: Mapping[str, Any]) -> None:
        self._http.post("/faults", json=fault).raise_for_status()

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

    @property
    def at_once(self) -> int:
        """The most jobs that were at the service together."""
        return max(sum(a.begun <= b.begun < a.ended for a in self.flights) for b in self.flights)


def billed(http: httpx.Client) -> tuple[float, float]:
    """Return the dollars of the emulator's bill, and of these what searches cost."""
    usd = searches = 0.0
    for name, counts in http.get("/bill").raise_for_status().json()["batch"].items():
        price = models().billed(name, today()).price_on(today())
        searched = price.usd(0, 0, "batch", searches=counts["search_queries"])
        said = counts["output_tokens"] + counts["thought_tokens"]
        usd += price.usd(counts["input_tokens"], said, "batch") + searched
        searches += searched
    return usd, searches


@contextmanager
def world() -> Iterator[tuple[str, httpx.Client]]:
    """Yield a database and the emulator's own endpoints, with the product pointed at both."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-play-") as place,
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
        yield database_url, http
