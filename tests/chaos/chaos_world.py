"""A stack whose parts are killed from outside while one deployment runs until it is complete."""

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import psutil

from deployments.local.processes import marked
from deployments.local.sample_passages import passages
from deployments.local.stack import Stack
from tasks.adapters import queries
from tasks.adapters.database import Connection, connect

Json = dict[str, Any]
DEMO = queries.load("demo/passages.sql")
VERSION = "gemini_batch_v1"
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
QUICK = {
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "3",
    "BACKFILL_POLL_SECONDS": "0.2",
    "BACKFILL_QUOTA_BACKOFF_SECONDS": "0.5",
}
HELD = ("upload_started", "upload_finished", "job_created", "poll", "download_started")
"""Events that the emulator can hold, so that a kill falls between a deed and its answer."""
VICTIMS = ("flow", "worker", "prefect", "postgres", "emulator")
FAULTS: tuple[Json, ...] = (
    {"kind": "create_then_drop", "times": 1},
    {"kind": "create_then_503", "times": 1},
    {"kind": "create_quota", "times": 2},
    {"kind": "listing_lag", "times": 1, "listed_after": 1},
    {"kind": "upload_dropped", "times": 1},
    {"kind": "truncated_download", "times": 1},
    {"kind": "output_late", "times": 1, "output_after": 1},
    {"kind": "failed", "times": 1},
    {"kind": "expired", "times": 1},
    {"kind": "shuffled_lines"},
    {"kind": "unknown_key", "times": 3},
    {"kind": "error_503", "times": 3, "match": {"method": "batches.get"}},
)
SILENT_SECONDS = 20.0  # a run without a process for so long will not come back by itself
TRIAL_SECONDS = 200.0
MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class Blow:
    """One kill: of whom, and so many seconds after an event of the emulator, or after the start."""

    victim: str
    event: str | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.victim} {self.seconds:.1f} s after {self.event or 'the start'}"


@dataclass(frozen=True)
class Plan:
    """What befalls one trial; the same for the same seed."""

    blows: tuple[Blow, ...]
    faults: tuple[Json, ...]

    @classmethod
    def of(cls, seed: int) -> "Plan":
        random = Random(seed)
        # The victims take turns, so that even a few seeds meet all of them.
        victims = [VICTIMS[(seed + turn) % len(VICTIMS)] for turn in range(random.randint(1, 3))]
        return cls(
            tuple(_blow(random, victim) for victim in victims),
            tuple(random.sample(FAULTS, random.randint(0, 2))),
        )


def _blow(random: Random, victim: str) -> Blow:
    if random.random() < 0.6:
        return Blow(victim, random.choice(HELD), random.uniform(0, 0.4))
    return Blow(victim, None, random.uniform(1, 9))


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
            rows = [{"passage_id": key, "text": text} for key, text in passages(size)]
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
                "truncate backfill.generations, backfill.slices, backfill.runs cascade"
            )
            connection.execute("delete from kb_migrations")
        self.emulator.post("/reset").raise_for_status()
        self.set(trouble=0.0, run_seconds=0.7)

    def set(self, **values: object) -> None:
        self.emulator.post("/settings", json=values).raise_for_status()

    def fault(self, body: Json) -> None:
        self.emulator.post("/faults", json=body).raise_for_status()

    # Runs

    def start(self, **parameters: object) -> str:
        """Start a new run of the deployment; return its id."""
        deployment = self.http.get("/deployments/name/backfill/full").raise_for_status().json()
        body = {
            "parameters": {
                "name": "passage_concepts",
                "kind": "full",
                "approve_up_to_usd": 50.0,
                "without_pilot": True,
                "slice_size": self.slice_size,
                **parameters,
            },
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


class Trial:
    """One deployment run, by blows interrupted, and run again until it is complete."""

    def __init__(self, world: World, seed: int, plan: Plan | None = None) -> None:
        self.world = world
        self.random = Random(seed)
        self.plan = plan or Plan.of(seed)
        self.kills: list[str] = []
        self.attempts: list[str] = []
        self._blows = list(self.plan.blows)

    def run(self) -> Outcome:
        """Return what is there in the end; raise TimeoutError if it does not come to an end."""
        self.world.reset()
        for fault in self.plan.faults:
            self.world.fault(fault)
        deadline = time.monotonic() + TRIAL_SECONDS
        run, last = self.world.start(), "new"
        while (state := self._attempt(run, deadline)) != "Completed":
            self.attempts.append(f"{last}: {state}")
            if len(self.attempts) > MOST_ATTEMPTS or not self.plan.blows:
                said = self.world.state(run).get("message")
                raise AssertionError(f"It does not get done: {said}; {self._describe()}")
            run, last = self._again(run)
        self.attempts.append(f"{last}: {state}")
        outcome = self.world.outcome()
        outcome.kills, outcome.attempts = self.kills, self.attempts
        outcome.faults = self.world.faults_met()
        return outcome

    def _again(self, run: str) -> tuple[str, str]:
        """Run the same deployment again, as a new run or by Retry."""
        if self.random.random() < 0.5:
            self.world.retry(run)
            return run, "retry"
        return self.world.start(), "new"

    def _attempt(self, run: str, deadline: float) -> str:
        """Follow one run, with blows, to its end; return the name of its last state."""
        blow = self._arm()
        silent_since = time.monotonic()
        for _ in _ticks(deadline, self._describe):
            if blow and self._due(blow):
                struck = self.world.kill(blow.victim, self.random.uniform(0, 1))
                self.kills += [str(blow)] if struck else []
                self._blows.pop(0)
                blow = self._arm()
            state = self.world.state(run)
            if state.get("type") in TERMINAL:
                return str(state["name"])
            if self.world.flows():
                silent_since = time.monotonic()
            elif self._lost(state, silent_since):
                return "Lost"
        raise AssertionError

    def _lost(self, state: Json, since: float) -> bool:
        """Return whether the run's process is gone, and nobody will start another one."""
        running = state.get("type") in ("RUNNING", "CANCELLING")
        patience = 2.0 if running and self.kills else SILENT_SECONDS
        waits = state.get("type") == "SCHEDULED" or not state
        return not waits and time.monotonic() - since > patience

    def _arm(self) -> Blow | None:
        """Get ready for the next blow: hold its event, so that it falls into the middle."""
        self._started, self._event_at = time.monotonic(), None
        if not self._blows:
            return None
        events = self.world.events(0)
        self._seen = int(events[-1]["seq"]) if events else 0
        if event := self._blows[0].event:
            with contextlib.suppress(httpx.HTTPError):
                self.world.fault(
                    {"kind": "pause", "times": 1, "match": {"event": event}, "seconds": 1.5}
                )
        return self._blows[0]

    def _due(self, blow: Blow) -> bool:
        now = time.monotonic()
        if blow.event is None:
            return bool(self.world.flows()) and now - self._started >= blow.seconds
        if self._event_at is None:
            for event in self.world.events(self._seen):
                self._seen = event["seq"]
                if event["kind"] == blow.event:
                    self._event_at = now
                    break
        return self._event_at is not None and now - self._event_at >= blow.seconds

    def _describe(self) -> str:
        return f"kills: {self.kills}, attempts: {self.attempts}, left: {self._blows}"


def _ticks(deadline: float, describe: Any) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
    raise TimeoutError(f"The trial did not come to its end: {describe()}")
