"""However a run is stopped: nothing new is submitted, what is paid for is adopted by the next."""

import signal
import subprocess
import sys

import pytest
from chaos_ground import Outcome
from chaos_world import World


@pytest.mark.long
@pytest.mark.timeout(200)
def test_a_cancelled_run_leaves_its_jobs_to_the_next_one(
    world: World, undisturbed: Outcome
) -> None:
    run = _started(world)

    _prefect(world, "flow-run", "cancel", run)
    state = world.ended(run)
    left = world.slice_states()

    assert state["type"] == "CANCELLED"
    assert left.get("submitted", 0) >= 1
    _collected_by_the_next_run(world, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_and_leaves_its_jobs_to_the_next_one(
    world: World, undisturbed: Outcome, how: signal.Signals
) -> None:
    run = _started(world)

    for process in world.flows():
        process.send_signal(how)
    world.ended(run)

    _collected_by_the_next_run(world, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(200)
def test_an_operator_may_stop_a_run_and_leave_its_jobs_to_the_next_one(
    world: World, undisturbed: Outcome
) -> None:
    run = _started(world)

    stop = world.ended(world.start_deployment("stop/now", {"name": "passage_concepts"}))
    left = world.slice_states()

    assert stop["name"] == "Stopped", stop
    assert world.ended(run)["type"] == "CANCELLED"
    assert left["submitted"] >= 1
    _collected_by_the_next_run(world, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(200)
def test_an_operator_may_have_the_jobs_in_flight_cancelled_too(
    world: World, undisturbed: Outcome
) -> None:
    _started(world)
    wanted = {"name": "passage_concepts", "cancel_jobs": True}

    stop = world.ended(world.start_deployment("stop/now", wanted))
    left = world.slice_states()
    world.finish_jobs()
    again = world.ended(world.start())

    assert "2 jobs cancelled" in stop["message"], stop
    assert not {"reserved", "submitted"} & left.keys()
    assert world.calls("batches.cancel") == 2
    assert again["name"] == "Completed", again
    _same(world, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(200)
def test_of_two_runs_at_once_the_second_steps_aside_and_names_the_first(
    world: World, undisturbed: Outcome
) -> None:
    first = _started(world)

    second = world.ended(world.start(), beside=True)
    world.finish_jobs()
    state = world.ended(first)

    assert second["name"] == "SteppedAside", second
    assert first in second["message"]
    assert state["name"] == "Completed", state
    _same(world, undisturbed)


def _started(world: World) -> str:
    """Start a run whose jobs take an hour; return its id once jobs are in flight."""
    world.reset()
    world.set(run_seconds=3600.0)
    run = world.start(slices_at_once=2)
    world.happened("poll")
    return run


def _collected_by_the_next_run(world: World, undisturbed: Outcome) -> None:
    """Assert that no job was cancelled or created twice, and that all answers are there."""
    world.finish_jobs()
    again = world.ended(world.start())

    assert again["name"] == "Completed", again
    assert world.calls("batches.cancel") == 0
    assert world.calls("batches.create") == world.slice_states()["done"]
    _same(world, undisturbed)


def _prefect(world: World, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        env=world.environment,
        check=True,
        capture_output=True,
    )


def _same(world: World, undisturbed: Outcome) -> None:
    outcome = world.outcome()
    assert outcome.billed == undisturbed.billed
    assert outcome.rows == undisturbed.rows
    assert world.broken_sums() == []
