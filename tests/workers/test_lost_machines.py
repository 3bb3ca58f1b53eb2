"""Machines that share no disk, killed while they work: their slices are taken over."""

import time

import pytest
from chaos_ground import Outcome, ticks
from chaos_world import World
from machines import Machines

LOST = "select max(tries) as tries from backfill.slices"
LEAST_PROCESSES = 2  # a worker and a flow
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def undisturbed(world: World) -> Outcome:
    """Return what the same backfill leaves behind in one process."""
    world.reset()
    state = world.ended(world.start())
    assert state["name"] == "Completed", state
    return world.outcome()


# First, because a killed worker counts as online until its heartbeat has been missed.
def test_without_a_worker_the_parent_says_so_and_goes_on_when_one_comes(
    world: World, machines: Machines, undisturbed: Outcome
) -> None:
    world.reset()
    run = world.start(fan_out="workers", slices_at_once=6)

    said = logged(world, run, "No worker polls work pool 'machines'")
    machines.start("f")
    state = world.ended(run, seconds=500)

    assert said == 1
    assert state["name"] == "Completed", state
    same(world, undisturbed)


def test_slices_of_killed_machines_are_taken_over_by_others(
    world: World, machines: Machines, undisturbed: Outcome
) -> None:
    world.reset()
    world.set(run_seconds=2.0)
    for name in ("a", "b", "c"):
        machines.start(name)
    run = world.start(fan_out="workers", slices_at_once=6)

    # One dies between a job's creation and its record, one while it waits, one wherever it is.
    world.fault({"kind": "pause", "times": 2, "match": {"event": "job_created"}, "seconds": 3})
    world.happened("job_created")
    time.sleep(0.5)
    killed = [machines.kill("a"), *killed_when_busy(world, machines, "b", "poll")]
    machines.start("d")
    killed += killed_when_busy(world, machines, "c", "upload_finished")
    machines.start("e")
    state = world.ended(run, seconds=500)

    assert state["name"] == "Completed", state
    # One of them may have ended its slice a moment before.
    assert sum(each >= LEAST_PROCESSES for each in killed) > 1
    assert tries(world) > 1, "no slice was on a machine when it was killed"
    same(world, undisturbed)


def test_cancelling_the_parent_cancels_its_slices_and_leaves_the_jobs_to_the_next_run(
    world: World, machines: Machines, undisturbed: Outcome
) -> None:
    world.reset()
    world.set(run_seconds=12.0)
    machines.start("g")
    run = world.start(fan_out="workers", slices_at_once=4)
    world.happened("poll", times=2)

    cancelling = {"state": {"type": "CANCELLING"}}
    world.http.post(f"/flow_runs/{run}/set_state", json=cancelling).raise_for_status()
    stopped = world.ended(run, seconds=200)
    left = open_runs(world)
    created = world.calls("batches.create")
    time.sleep(5)

    assert stopped["type"] == "CANCELLED", stopped
    assert left == []
    assert created == world.calls("batches.create")
    again = world.ended(world.start(fan_out="workers", slices_at_once=6), seconds=500)
    assert again["name"] == "Completed", again
    assert world.calls("batches.cancel") == 0
    same(world, undisturbed)


def killed_when_busy(world: World, machines: Machines, name: str, event: str) -> list[int]:
    """Kill a machine that works on a slice, as soon as the emulator hears from anybody."""
    for _ in ticks(time.monotonic() + 120, lambda: f"machine {name} got no slice"):
        if machines.at_work(name) >= LEAST_PROCESSES:
            break
    world.happened(event)
    return [machines.kill(name)]


def tries(world: World) -> int:
    with world.connect() as connection:
        row = connection.execute(LOST).fetchone()
    return int(row["tries"]) if row else 0


def open_runs(world: World) -> list[str]:
    """Return the slices' runs that have not ended, once those told to end had time to."""
    wanted = {"flow_runs": {"state": {"type": {"not_any_": ["COMPLETED", "FAILED", "CANCELLED"]}}}}
    found: list[str] = []
    for _ in range(30):
        runs = world.http.post("/flow_runs/filter", json=wanted).raise_for_status().json()
        found = [f"{each['name']} {each['state']['name']}" for each in runs]
        found = [each for each in found if "Crashed" not in each]
        if not found:
            break
        time.sleep(1)
    return found


def logged(world: World, run: str, text: str) -> int:
    """Return how often a run has logged a sentence, once it has."""
    wanted = {"logs": {"flow_run_id": {"any_": [run]}}}
    for _ in ticks(time.monotonic() + 90, lambda: f"no '{text}'"):
        lines = world.http.post("/logs/filter", json=wanted).raise_for_status().json()
        if said := sum(text in line["message"] for line in lines):
            return said
    raise AssertionError


def same(world: World, undisturbed: Outcome) -> None:
    outcome = world.outcome()
    assert outcome.billed == undisturbed.billed
    assert set(outcome.billed.values()) == {1}
    assert outcome.rows == undisturbed.rows
    assert outcome.ends == undisturbed.ends
    assert world.broken_sums() == []
    assert world.false_offsets() == 0
    assert not world.legacy_changed()
