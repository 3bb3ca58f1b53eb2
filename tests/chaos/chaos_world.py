"""A stack whose parts are killed from outside while one deployment runs until it is complete."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import earlier_run
import httpx
import psutil

from deployments.local.ports import Ports
from deployments.local.processes import marked
from deployments.local.sample_passages import passages
from deployments.local.stack import Stack
from tasks.adapters.postgres import Connection, connect, statements

Json = dict[str, Any]
DEMO = statements("demo/passages.sql")
VERSION = "gemini_batch_v1"
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
QUICK = {
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "3",
    "BACKFILL_POLL_SECONDS": "0.2",
    "BACKFILL_QUOTA_BACKOFF_SECONDS": "0.5",
}


@dataclass
class Outcome:
    """What a trial leaves behind, to be compared with that of an undisturbed run."""

    rows: list[Json]
    ends: dict[str, int]
    billed: dict[str, int]
    checkpoint: Json
    kills: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    faults: int = 0
    seed: int = 0

    @property
    def paid_twice(self) -> int:
        return sum(times - 1 for times in self.billed.values())


Tally = Callable[[Outcome], None]


class World:
    """A running stack with passages in it, and the deployment that is run over them."""

    def __init__(self, stack: Stack, size: int, slice_size: int) -> None:
        self.stack = stack
        self.slice_size = slice_size
        self.environment = stack.environment()
        self.http = httpx.Client(base_url=self.environment["PREFECT_API_URL"], timeout=10)
        self.emulator = httpx.Client(base_url=f"{stack.emulator.url}/_emulator", timeout=10)
        with self.connect() as connection:
            connection.execute(DEMO["create_tables"])
            rows = [{"passage_id": key, "passage_text": text} for key, text in passages(size)]
            connection.cursor().executemany(DEMO["insert_passage"], rows)
            connection.execute(DEMO["plant_legacy_rows"], {})
        self.legacy = self._legacy()

    def connect(self) -> Connection:
        return connect(self.environment["BACKFILL_DATABASE_URL"])

    def close(self) -> None:
        self.http.close()
        self.emulator.close()

    def reset(self) -> None:
        """Forget every answer, every plan and every job; the passages stay."""
        with self.connect() as connection:
            connection.execute(
                "delete from passage_concepts where extractor_version = %s", (VERSION,)
            )
            connection.execute(
                "truncate backfill.generations, backfill.slices, backfill.runs,"
                " backfill.answer_blocks, backfill.projections, backfill.restores cascade"
            )
            connection.execute("delete from kb_migrations")
            # Else a row is asked at once, and what is killed on its way is asked once more.
            earlier_run.leave_answers(connection)
        self.emulator.post("/reset").raise_for_status()
        self.set(trouble=0.0, run_seconds=0.7)

    def set(self, **values: object) -> None:
        self.emulator.post("/settings", json=values).raise_for_status()

    def fault(self, body: Json) -> None:
        self.emulator.post("/faults", json=body).raise_for_status()

    # Runs

    def start(self, **parameters: object) -> str:
        """Start a new run of the deployment; return its id."""
        wanted = {
            "name": "passage_concepts",
            "kind": "full",
            "approve_up_to_usd": 50.0,
            "without_pilot": True,
            "slice_size": self.slice_size,
            **parameters,
        }
        return self.start_deployment("backfill/full", wanted)

    def start_deployment(self, name: str, parameters: Json) -> str:
        """Start a run of any deployment; return its id."""
        deployment = self.http.get(f"/deployments/name/{name}").raise_for_status().json()
        body = {
            "parameters": parameters,
            "job_variables": {"env": QUICK},
            "state": {"type": "SCHEDULED"},
        }
        made = self.http.post(f"/deployments/{deployment['id']}/create_flow_run", json=body)
        return str(made.raise_for_status().json()["id"])

    def retry(self, flow_run_id: str) -> None:
        """Do what the UI's Retry does."""
        body = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
        self.http.post(f"/flow_runs/{flow_run_id}/set_state", json=body).raise_for_status()

    def state(self, flow_run_id: str) -> Json:
        """Return a run's state; nothing while the server cannot be asked."""
        with contextlib.suppress(httpx.HTTPError):
            answer = self.http.get(f"/flow_runs/{flow_run_id}")
            if answer.is_success:
                return dict(answer.json()["state"] or {})
        return {}

    def flows(self) -> list[psutil.Process]:
        """Return the processes of flow runs."""
        worker = self.stack.pid("worker")
        return [each for each in marked(self.stack.home, "worker") if each.pid != worker]

    def events(self, after: int) -> list[Json]:
        """Return the emulator's events after a number; none while it is down."""
        with contextlib.suppress(httpx.HTTPError):
            return list(self.emulator.get("/events", params={"after": after}).json()["events"])
        return []

    def ended(self, flow_run_id: str, seconds: float = 120.0, *, beside: bool = False) -> Json:
        """Return the state of a run once it is over, or once its process is gone for good.

        With another one `beside` it, its own state is all there is to see.
        """
        silent_since = time.monotonic()
        for _ in ticks(time.monotonic() + seconds, lambda: self.state(flow_run_id), 0.5):
            state = self.state(flow_run_id)
            if state.get("type") in TERMINAL and (beside or not self.flows()):
                return state
            if self.flows():
                silent_since = time.monotonic()
            elif state.get("type") == "RUNNING" and time.monotonic() - silent_since > 5:
                return state
        raise AssertionError

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

    def slice_states(self) -> dict[str, int]:
        """Return how many slices are in which state."""
        with self.connect() as connection:
            rows = connection.execute(
                "select state, count(*) as slices from backfill.slices"
                " where not starts_with(slice_id, %s) group by state",
                (earlier_run.MARK,),
            ).fetchall()
        return {row["state"]: row["slices"] for row in rows}

    def kill(self, victim: str, down_for: float) -> bool:
        """Kill with -9, and start again what is a part; return whether there was a victim."""
        if victim == "flow":
            flows = self.flows()
            for process in flows:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(flows, timeout=10)
            return bool(flows)
        self.stack.kill(victim)
        time.sleep(down_for)
        self.stack.start(victim)
        return True

    def finish_jobs(self) -> None:
        """Let every job that takes its time end now, and later ones be quick."""
        self.set(run_seconds=0.7)
        self.emulator.post("/clock", json={"advance_seconds": 3600}).raise_for_status()

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

    def _legacy(self) -> str:
        with self.connect() as connection:
            row = connection.execute(DEMO["legacy_checksum"]).fetchone()
        return str(row and row["checksum"])


@contextlib.contextmanager
def running_world(
    home: Path, environment: dict[str, str], size: int, slice_size: int
) -> Iterator[World]:
    """Yield a running stack of its own with passages in it."""
    stack = Stack(home, Ports(0, 0, 0), environment=environment)
    try:
        stack.up()
        world = World(stack, size, slice_size)
        yield world
        world.close()
    finally:
        stack.down()


def ticks(deadline: float, describe: Callable[[], object], seconds: float = 0.1) -> Iterator[int]:
    """Yield numbers, one each so many seconds; raise TimeoutError at the deadline."""
    for tick in count():
        if time.monotonic() >= deadline:
            break
        yield tick
        time.sleep(seconds)
    raise TimeoutError(f"The trial did not come to its end: {describe()}")


def compare(world: World, outcome: Outcome, undisturbed: Outcome) -> None:
    """Assert that a trial left the same rows, ends and bill as an undisturbed run."""
    story = f"kills {outcome.kills}, attempts {outcome.attempts}"
    assert outcome.billed == undisturbed.billed, story
    assert outcome.rows == undisturbed.rows, story
    assert outcome.ends == undisturbed.ends, story
    assert outcome.checkpoint == undisturbed.checkpoint, story
    assert world.broken_sums() == [], story
    assert world.false_offsets() == 0
    assert not world.legacy_changed()
