"""The tables, the ledger and the service under a trial, and what it leaves behind in them."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import earlier_run
import httpx

from deployments.local.sample_passages import passages
from tasks.adapters.postgres import Connection, connect, statements

Json = dict[str, Any]
DEMO = statements("demo/passages.sql")
VERSION = "gemini_batch_v1"
FORGET = (
    "truncate backfill.generations, backfill.slices, backfill.runs, backfill.leases,"
    " backfill.answer_blocks, backfill.projections, backfill.restores cascade"
)
BOOKED = """
select coalesce(sum(input_tokens), 0)::int as input, coalesce(sum(output_tokens), 0)::int as output
from backfill.slices
"""


@dataclass
class Outcome:
    """What a trial leaves behind, to be compared with that of an undisturbed run."""

    rows: list[Json]
    ends: dict[str, int]
    billed: dict[str, int]
    checkpoint: Json
    untrue: Json
    kills: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    faults: int = 0
    seed: int = 0

    @property
    def paid_twice(self) -> int:
        return sum(times - 1 for times in self.billed.values())

    def lost(self, undisturbed: "Outcome") -> int:
        """Return how many passages have no rows that have some after an undisturbed run."""
        mine, wanted = ({row["passage_id"] for row in each.rows} for each in (self, undisturbed))
        return len(wanted - mine)

    def different(self, undisturbed: "Outcome") -> Json:
        """Return what differs from an undisturbed run, or does not hold by itself."""
        left, right = Counter(map(repr, self.rows)), Counter(map(repr, undisturbed.rows))
        pairs = {
            name: (getattr(self, name), getattr(undisturbed, name))
            for name in ("ends", "billed", "checkpoint")
        }
        found = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        rows = sorted((left - right).elements()) + sorted((right - left).elements())
        return found | ({"rows": rows} if rows else {}) | self.untrue


Tally = Callable[[Outcome], None]


class Ground:
    """Passages in a database, and an emulator that answers what is asked of them."""

    def __init__(self, database_url: str, emulator_url: str) -> None:
        self.database_url = database_url
        self.emulator = httpx.Client(
            base_url=f"{emulator_url}/_emulator", timeout=10, trust_env=False
        )

    def connect(self) -> Connection:
        return connect(self.database_url)

    def close(self) -> None:
        self.emulator.close()

    def fill(self, size: int) -> None:
        """Put passages into the table, and the rows of other versions beside them."""
        with self.connect() as connection:
            connection.execute(DEMO["create_tables"])
            rows = [{"passage_id": key, "passage_text": text} for key, text in passages(size)]
            connection.cursor().executemany(DEMO["insert_passage"], rows)
            connection.execute(DEMO["plant_legacy_rows"], {})
        self.legacy = self._legacy()

    def reset(self) -> None:
        """Forget every answer, every plan and every job; the passages stay."""
        with self.connect() as connection:
            connection.execute(
                "delete from passage_concepts where extractor_version = %s", (VERSION,)
            )
            connection.execute(FORGET)
            connection.execute("delete from kb_migrations")
            # Else a row is asked at once, and what is killed on its way is asked once more.
            earlier_run.leave_answers(connection)
        self.emulator.post("/reset").raise_for_status()
        self.set(trouble=0.0, run_seconds=0.7)

    def set(self, **values: object) -> None:
        self.emulator.post("/settings", json=values).raise_for_status()

    def fault(self, body: Json) -> None:
        self.emulator.post("/faults", json=body).raise_for_status()

    def events(self, after: int, wait_seconds: float = 0.0) -> list[Json]:
        """Return the emulator's events after a number; none while it is down."""
        query = {"after": after, "wait_seconds": wait_seconds}
        with contextlib.suppress(httpx.HTTPError):
            return list(self.emulator.get("/events", params=query).json()["events"])
        return []

    def happened(self, kind: str, times: int = 1) -> None:
        """Return when the emulator has announced so many more events of a kind."""
        events = self.events(0)
        seen = events[-1]["seq"] if events else 0
        for _ in ticks(time.monotonic() + 180, lambda: f"no {kind}"):
            for event in self.events(seen):
                seen = event["seq"]
                times -= event["kind"] == kind
            if times <= 0:
                return

    def calls(self, method: str) -> int:
        return int(self.emulator.get("/calls").json().get(method, 0))

    def finish_jobs(self) -> None:
        """Let every job that takes its time end now, and later ones be quick."""
        self.set(run_seconds=0.7)
        self.emulator.post("/clock", json={"advance_seconds": 3600}).raise_for_status()

    def slice_states(self) -> dict[str, int]:
        """Return how many slices are in which state."""
        with self.connect() as connection:
            rows = connection.execute(
                "select state, count(*) as slices from backfill.slices"
                " where not starts_with(slice_id, %s) group by state",
                (earlier_run.MARK,),
            ).fetchall()
        return {row["state"]: row["slices"] for row in rows}

    # What came of it

    def outcome(self) -> Outcome:
        with self.connect() as connection:
            rows = connection.execute(
                "select to_jsonb(passage_concepts) - 'created_at' as row from passage_concepts"
                " where extractor_version = %s order by 1",
                (VERSION,),
            ).fetchall()
            ends = connection.execute(
                "select state || coalesce(': ' || reason, '') as label, count(*) as targets"
                " from backfill.generations group by 1 order by 1"
            ).fetchall()
            checkpoint = connection.execute(
                "select status, items_processed from kb_migrations"
            ).fetchone()
        return Outcome(
            rows=[row["row"] for row in rows],
            ends={row["label"]: row["targets"] for row in ends},
            billed=dict(self.emulator.get("/keys", params={"min": 1}).json()["keys"]),
            checkpoint=checkpoint or {},
            untrue=self._untrue(),
        )

    def faults_met(self) -> int:
        """Return how often a fault of the emulator struck, without the pauses."""
        found = self.emulator.get("/faults").json()["faults"]
        return sum(each["fired"] for each in found if each["kind"] != "pause")

    def broken_sums(self) -> list[Json]:
        """Return the slices that are open, or whose ends do not sum to their requests."""
        with self.connect() as connection:
            return connection.execute(
                "select slice_id, state, request_count from backfill.slices"
                " where state not in ('done', 'failed') or state = 'done'"
                " and request_count <> written + empty + bad + skipped"
            ).fetchall()

    def false_offsets(self) -> int:
        with self.connect() as connection:
            row = connection.execute(DEMO["false_offsets"]).fetchone()
        return int(row["false_offsets"]) if row else -1

    def legacy_changed(self) -> bool:
        return self._legacy() != self.legacy

    def _untrue(self) -> Json:
        """Return what may never be, whatever was disturbed."""
        found: Json = {
            "broken sums": self.broken_sums(),
            "false offsets": self.false_offsets(),
            "rows of others changed": self.legacy_changed(),
            "tokens booked and billed": self._false_bill(),
        }
        return {name: value for name, value in found.items() if value}

    def _false_bill(self) -> Json:
        """Return what the ledger booked and what the service bills, where they differ."""
        totals = self.emulator.get("/bill").json()["totals"]
        output = totals["output_tokens"] + totals["thought_tokens"]
        billed = {"input": totals["input_tokens"], "output": output}
        with self.connect() as connection:
            booked = connection.execute(BOOKED).fetchone()
        # A line of a key that nobody asked is booked, although the service may not bill it.
        is_more = self._strays() and booked and booked["input"] >= billed["input"]
        return {} if booked == billed or is_more else {"booked": booked, "billed": billed}

    def _strays(self) -> int:
        found = self.emulator.get("/faults").json()["faults"]
        return sum(each["fired"] for each in found if each["kind"] == "unknown_key")

    def _legacy(self) -> str:
        with self.connect() as connection:
            row = connection.execute(DEMO["legacy_checksum"]).fetchone()
        return str(row and row["checksum"])


def ticks(deadline: float, describe: Callable[[], object], seconds: float = 0.1) -> Iterator[int]:
    """Yield numbers, one each so many seconds; raise TimeoutError at the deadline."""
    for tick in count():
        if time.monotonic() >= deadline:
            break
        yield tick
        time.sleep(seconds)
    raise TimeoutError(f"The trial did not come to its end: {describe()}")


def compare(outcome: Outcome, undisturbed: Outcome) -> None:
    """Assert that a trial left the same rows, ends and bill as an undisturbed run."""
    story = f"kills {outcome.kills}, attempts {outcome.attempts}"
    different = outcome.different(undisturbed)
    assert not different, f"{different}, {story}"
