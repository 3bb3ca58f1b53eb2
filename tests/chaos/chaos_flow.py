"""One run of a backfill in a process that was forked from one with everything imported."""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google.genai
import prefect.settings
import pytest
from engine_hand import forget_settings
from prefect.client.schemas.objects import State
from prefect.logging import disable_run_logger
from prefect.settings import temporary_settings

import flows.backfill
from bench.without_prefect import take_out
from flows.backfill import backfill

__all__ = ["google"]  # imported for those who are forked

STATES = {0: "Completed", 3: "SteppedAside", -9: "killed"}


@dataclass(frozen=True)
class Job:
    """What a process is to do, and where."""

    run_id: str
    parameters: dict[str, Any]
    environment: dict[str, str] = field(repr=False)
    log: str
    has_server: bool


def run(job: Job) -> None:
    """Run the backfill; end with a code that says in which state."""
    with Path(job.log).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.update(job.environment)
    forget_settings()
    state = _with_server(job) if job.has_server else _by_itself(job)
    print(f"{job.run_id} {state.name}: {state.message}", flush=True)  # noqa: T201 - into the log
    sys.exit({name: code for code, name in STATES.items()}.get(str(state.name), 1))


def _with_server(job: Job) -> State[Any]:
    given = {name: value for name, value in job.environment.items() if name.startswith("PREFECT_")}
    known = {name: getattr(prefect.settings, name, None) for name in given}
    with temporary_settings({known[name]: given[name] for name in given if known[name]}):
        return asyncio.run(backfill(**job.parameters, return_state=True))


def _by_itself(job: Job) -> State[Any]:
    patch = pytest.MonkeyPatch()  # for good: the process ends
    take_out(patch.setattr)
    named = SimpleNamespace(get_name=lambda: "run", get_id=lambda: job.run_id)
    patch.setattr(flows.backfill, "flow_run", named)
    with disable_run_logger():
        return asyncio.run(backfill.fn(**job.parameters))
