"""What the machine found, each by the shortest way to it."""

import pytest
from machine_hand import VERSIONS, World
from test_machine import TEXTS, Machine


@pytest.fixture
def machine(world: World) -> Machine:
    Machine.world = world
    one = Machine()
    one.some_rows(TEXTS[:3])
    return one


def full(machine: Machine) -> None:
    machine.run_in_full_with_nothing_in_the_way(slice_size=4)


def test_a_rollback_that_cancels_jobs_leaves_those_that_have_ended_to_be_collected(
    machine: Machine,
) -> None:
    machine.run_until(60, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    machine.time_passes()

    said = machine.world.roll_back(VERSIONS[0], None, cancel_jobs=True, also_edited=False)
    full(machine)

    assert "run the backfill to collect them first" in str(said)
    assert len(machine.world.look().paid) == 3


def test_a_rollback_killed_at_any_moment_loses_no_target_of_a_cancelled_job(
    machine: Machine,
) -> None:
    machine.run_until(60, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    for moment in range(4, 14, 2):
        machine.roll_back(VERSIONS[0], moment, cancel_jobs=True, also_edited=False)
    machine.restore(VERSIONS[0], None)

    full(machine)

    assert len(machine.world.look().rows) == 3
