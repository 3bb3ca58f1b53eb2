"""A stack whose parts are killed or frozen from outside while a backfill runs."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psutil
from bouncer import COMMAND, Bouncer
from chaos_ground import Ground, Json, ticks

from deployments.local import prefect_api
from deployments.local.ports import Ports, free_port
from deployments.local.processes import Record, marked, spawn, wait
from deployments.local.stack import READY_SECONDS, Stack
from tasks.adapters.migrations import apply_migrations

TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
IN_ORDER = ("postgres", "pgbouncer", "emulator", "prefect", "worker")
QUICK = {
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "3",
    "BACKFILL_POLL_SECONDS": "0.2",
    "BACKFILL_QUOTA_BACKOFF_SECONDS": "0.5",
}


class World(Ground):
    """A running stack with passages in it, and the deployment that is run over them."""

    def __init__(self, stack: Stack, size: int, slice_size: int) -> None:
        self.stack = stack
        self.slice_size = slice_size
        self.environment = stack.environment()
        super().__init__(self.environment["BACKFILL_DATABASE_URL"], stack.emulator.url)
        self.http = prefect_api.client(self.environment)
        self.log = stack.log("flows")
        self.bouncer: Bouncer | None = None
        self.spent = 0.0
        self._command: Json = {}
        self._wanted = {"postgres", "emulator", "prefect", "worker"}
        self.fill(size)

    def close(self) -> None:
        super().close()
        self.http.close()

    # Runs

    def parameters(self, **more: object) -> Json:
        return {
            "name": "passage_concepts",
            "kind": "full",
            "approve_up_to_usd": 50.0,
            "without_pilot": True,
            "slice_size": self.slice_size,
            "slices_at_once": 2,
            **more,
        }

    def start(self, **parameters: object) -> str:
        """Start a new run of the deployment; return its id."""
        return self.start_deployment("backfill/full", self.parameters(**parameters))

    def keep_pace(self, environment: Mapping[str, str]) -> None:
        """Give every run to come this environment."""
        for name in ("backfill/full", "backfill-slice/slice"):
            found = self.http.get(f"/deployments/name/{name}").raise_for_status().json()
            body = {"job_variables": {"env": dict(environment), **self._command}}
            self.http.patch(f"/deployments/{found['id']}", json=body).raise_for_status()

    def start_deployment(self, name: str, parameters: Json) -> str:
        """Start a run of any deployment; return its id."""
        deployment = self.http.get(f"/deployments/name/{name}").raise_for_status().json()
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
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

    # Parts

    def run_only(self, *parts: str) -> None:
        """Have these parts running, and no others; deploy when a worker is first among them."""
        for name in reversed(IN_ORDER):
            if name not in parts and (found := self.processes(name)):
                self.strike(found, signal.SIGKILL)
        if "worker" in parts and not self.stack.state.deployed:
            self.stack.up()
        self._wanted = set(parts)
        self.start_missing()

    def start_missing(self) -> None:
        """Start again every part that was killed."""
        for name in IN_ORDER:
            if name in self._wanted and not self.processes(name):
                self._start(name)

    def processes(self, part: str) -> list[psutil.Process]:
        """Return a part's processes; flows are none of the worker's."""
        pid = self._bouncer_pid() if part == "pgbouncer" else self.stack.pid(part)
        if pid is None:
            return []
        process = psutil.Process(pid)
        return [process, *([] if part == "worker" else process.children(recursive=True))]

    def strike(self, processes: list[psutil.Process], how: signal.Signals) -> None:
        """Send a signal to all of them; after SIGKILL, return when they are gone."""
        if how == signal.SIGKILL:
            self.spent += sum(_seconds(each) for each in processes[1:])  # nobody waits for those
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(how)
        if how == signal.SIGKILL:
            psutil.wait_procs(processes, timeout=10)

    def kill(self, victim: str, down_for: float) -> None:
        """Kill with -9, and start again what is a part."""
        found = self.flows() if victim == "flow" else self.processes(victim)
        self.strike(found, signal.SIGKILL)
        time.sleep(down_for)
        self.start_missing()

    def _start(self, name: str) -> None:
        if name != "pgbouncer":
            self.stack.start(name)
            return
        home = self.stack.home
        self.bouncer = self.bouncer or Bouncer(home / name, free_port(0), self.stack.postgres)
        log = self.stack.log(name)
        self._bounced: Record = spawn(self.bouncer, log, home, self.environment)
        wait(self.bouncer, self._bounced, log, READY_SECONDS)

    def _bouncer_pid(self) -> int | None:
        return self._bounced.pid if self.bouncer and self._bounced.process() else None


def _seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        return sum(process.cpu_times()[:4])
    return 0.0


@contextlib.contextmanager
def running_world(
    home: Path, environment: dict[str, str], size: int, slice_size: int
) -> Iterator[World]:
    """Yield a running stack of its own with passages in it."""
    stack = Stack(home, Ports(0, 0, 0), environment=environment)
    try:
        stack.up()
        world = World(stack, size, slice_size)
        world.keep_pace(QUICK)
        yield world
        world.close()
    finally:
        stack.down()


@contextlib.contextmanager
def bare_world(
    home: Path, environment: dict[str, str], size: int, slice_size: int
) -> Iterator[World]:
    """Yield one of which only the database and the emulator run, until more is wanted."""
    stack = Stack(home, Ports(0, 0, 0), environment=environment, say=lambda _: None)
    world = None
    try:
        with stack._alone():
            stack._choose_ports()
        stack.start("postgres")
        stack.start("emulator")
        apply_migrations(stack.postgres.url("app"))
        world = World(stack, size, slice_size)
        # Else a worker's process imports Prefect to find out what to start, and that does again.
        world._command = {"command": f"{sys.executable} -m prefect.engine"}
        yield world
    finally:
        if world:
            world.run_only("postgres", "emulator")
            world.close()
        stack.down()


def has_bouncer() -> bool:
    return COMMAND is not None
