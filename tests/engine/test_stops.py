"""Two runs at once, and holders that are gone. Signals and cancellations: tests/chaos."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from engine_hand import NAME, Engine, configure

import flows.backfill
import flows.redrive
import flows.reread
import flows.rollback
from tasks.adapters import leases
from tasks.adapters.leases import held
from tasks.core.errors import RunInProgressError

HOLD_AND_DIE = f"""
import os
from tasks.adapters.leases import held
with held("run", "{NAME}", holder="full {NAME} (a run that dies)") as other:
    assert other is None
    os._exit(9)
"""


def test_a_second_run_steps_aside_and_names_the_first(engine: Engine) -> None:
    engine.load_samples(2)

    with held("run", NAME, holder="full passage_concepts (the first)") as other:
        state = engine.run()

    assert other is None
    assert state.name == "SteppedAside"
    assert "full passage_concepts (the first)" in str(state.message)
    assert engine.generations() == []


def test_a_crashed_holder_never_locks_the_next_one_out(engine: Engine) -> None:
    engine.load_samples(2)

    died = subprocess.run([sys.executable, "-c", HOLD_AND_DIE], check=False)
    engine.summary()

    assert died.returncode == 9
    assert engine.ends() == {"written": 2}


def test_a_run_waits_for_its_own_last_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(2)
    monkeypatch.setattr(flows.backfill, "flow_run", _SameRun)

    with its_last_process():
        engine.summary()

    assert engine.ends() == {"written": 2}


@pytest.mark.parametrize("module", [flows.redrive, flows.rollback], ids=["redrive", "rollback"])
def test_a_flow_that_mends_waits_for_its_own_last_process_too(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    engine.load_samples(2)
    engine.summary()
    monkeypatch.setattr(module, "flow_run", _SameRun)
    flow = module.redrive if module is flows.redrive else module.rollback

    with its_last_process():
        state = asyncio.run(flow.fn(name=NAME, dry_run=True))

    assert state.name == "DryRun"


def test_what_changes_a_plan_or_rows_refuses_while_a_slice_is_at_work_and_names_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, lease_seconds=1)
    engine.load_samples(2)
    [slice_id] = engine.plan()

    with leases.working(leases.begin(slice_id)):  # type: ignore[arg-type]
        aside = engine.run(fresh=True)
        waiting = asyncio.run(flows.redrive.redrive.fn(name=NAME, dry_run=False))
        said = [str(aside.message), str(waiting.message)]
        for flow in (flows.rollback.rollback, flows.reread.reread):
            with pytest.raises(RunInProgressError) as refused:
                asyncio.run(flow.fn(name=NAME, dry_run=False))
            said.append(str(refused.value))

    assert [aside.name, waiting.name] == ["SteppedAside"] * 2
    for each in said:
        assert f"is at work: slice {slice_id}, by process " in each
    assert [each["state"] for each in engine.slices()] == ["planned"]


@contextmanager
def its_last_process() -> Iterator[None]:
    """Hold the run lock as an earlier process of the same run does, for a second more."""
    is_held, let_go = threading.Event(), threading.Event()

    def last_process() -> None:
        with held("run", NAME, holder=f"full {NAME} ({_SameRun.get_id()})") as other:
            assert other is None
            is_held.set()
            let_go.wait(30)

    last = threading.Thread(target=last_process)
    last.start()
    assert is_held.wait(30)
    threading.Timer(1.0, let_go.set).start()
    yield
    last.join()


class _SameRun:
    """A flow run whose process begins before the last one has ended."""

    @staticmethod
    def get_id() -> str:
        return "0b0f4a0e-3a3c-4b0e-9a54-0d6d1f6c9b11"

    @staticmethod
    def get_name() -> str:
        return f"full {NAME}"
