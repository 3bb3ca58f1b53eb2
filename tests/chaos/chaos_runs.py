"""How a trial has its backfill run: by forked processes, with or without a server, or a worker."""

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from typing import Protocol
from uuid import uuid4

import chaos_flow
import psutil
from chaos_plan import Plan
from chaos_world import TERMINAL, World

SILENT_SECONDS = 20.0  # a run without a process for so long will not come back by itself
LOST_SECONDS = 2.0
LOOK_SECONDS = 0.5  # asking Prefect ten times a second would cost it more than the flow does


class Run(Protocol):
    """One run of the backfill."""

    def end(self) -> str | None:
        """Return the name of its last state once it is over, or once nobody is at work on it."""

    def processes(self) -> list[psutil.Process]:
        """Return what can be killed or frozen of it."""

    def again(self) -> "Run":
        """Return the same run, begun once more as the UI's Retry does."""


class Runs(Protocol):
    """What begins runs."""

    def start(self) -> Run:
        """Return a new run."""


def runs_of(world: World, plan: Plan) -> Runs:
    """Return what begins the runs of a plan."""
    environment = dict(plan.environment)
    if plan.pooled and world.bouncer:
        environment["BACKFILL_DATABASE_URL"] = world.bouncer.url
    if plan.through in {"process", "server"}:
        return Forked(world, environment, has_server=plan.through == "server")
    return Deployed(world, environment, "workers" if plan.through == "workers" else "process")


@cache
def warm() -> ForkServerContext:
    """Return what forks processes that have imported everything already."""
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # else it finds nothing of ours
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["chaos_flow"])
    return context


class Forked:
    """Runs as processes of their own, forked from a warm one."""

    def __init__(self, world: World, environment: Mapping[str, str], *, has_server: bool) -> None:
        self.world = world
        self.has_server = has_server
        self.environment = {**world.environment, **environment}

    def start(self) -> "ForkedRun":
        return self.begin(str(uuid4()))

    def begin(self, run_id: str) -> "ForkedRun":
        job = chaos_flow.Job(
            run_id=run_id,
            parameters=self.world.parameters(),
            environment=self.environment,
            log=str(self.world.log),
            has_server=self.has_server,
        )
        return ForkedRun(self, job)


class ForkedRun:
    """A forked process, and what it is to do."""

    def __init__(self, runs: Forked, job: chaos_flow.Job) -> None:
        self._runs = runs
        self._job = job
        self._process = warm().Process(target=chaos_flow.run, args=(job,), daemon=True)
        self._process.start()

    def end(self) -> str | None:
        if self._process.is_alive():
            return None
        return chaos_flow.STATES.get(self._process.exitcode or 0, "Failed")

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self._process.pid)] if self._process.is_alive() else []

    def again(self) -> "ForkedRun":
        return self._runs.begin(self._job.run_id)


class Deployed:
    """Runs of the deployment, each in a process that the worker starts."""

    def __init__(self, world: World, environment: Mapping[str, str], fan_out: str) -> None:
        self.world = world
        self._fan_out = fan_out
        world.keep_pace(environment)

    def start(self) -> "DeployedRun":
        return DeployedRun(self.world, self.world.start(fan_out=self._fan_out))


class DeployedRun:
    """A flow run as Prefect knows it."""

    def __init__(self, world: World, run_id: str) -> None:
        self._world = world
        self._run_id = run_id
        self._looked_at = self._seen_at = time.monotonic()

    def end(self) -> str | None:
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = now
        state = self._world.state(self._run_id)
        if state.get("type") in TERMINAL:
            return str(state["name"])
        waits = state.get("type") == "SCHEDULED" or not state
        if waits or self._world.flows():
            self._seen_at = now
        is_running = state.get("type") in {"RUNNING", "CANCELLING"}
        patience = LOST_SECONDS if is_running else SILENT_SECONDS
        return "Lost" if now - self._seen_at > patience else None

    def processes(self) -> list[psutil.Process]:
        return self._world.flows()

    def again(self) -> "DeployedRun":
        self._world.retry(self._run_id)
        return DeployedRun(self._world, self._run_id)
