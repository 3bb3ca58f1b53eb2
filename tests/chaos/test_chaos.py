"""Kill -9 of anything at any moment, then run again: the rows and the bill of an undisturbed run.

A failing seed is replayed with CHAOS_SEEDS=<seed> pytest tests/chaos -m "long or not long".
"""

import os

import pytest
from chaos_trial import Blow, Plan, Trial
from chaos_world import Outcome, World

SHORT_SEEDS = (1, 3)
LONG_SEEDS = tuple(range(100, 132))


def seeds(default: tuple[int, ...]) -> list[int]:
    """Return the seeds to try; CHAOS_SEEDS=5,9 or 40-60 replaces them."""
    chosen: list[int] = []
    for part in filter(None, os.environ.get("CHAOS_SEEDS", "").split(",")):
        first, _, last = part.partition("-")
        chosen += range(int(first), int(last or first) + 1)
    return chosen or list(default)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", seeds(SHORT_SEEDS))
def test_whatever_is_killed_the_same_rows_are_written_and_paid_once(
    world: World, undisturbed: Outcome, tally: list[Outcome], seed: int
) -> None:
    trial = Trial(world, seed)

    outcome = trial.run()

    tally.append(outcome)
    _compare(world, outcome, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", seeds(LONG_SEEDS))
def test_whatever_is_killed_often_the_same_rows_are_written_and_paid_once(
    world: World, undisturbed: Outcome, tally: list[Outcome], seed: int
) -> None:
    trial = Trial(world, seed)

    outcome = trial.run()

    tally.append(outcome)
    _compare(world, outcome, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("event", ["upload_finished", "job_created", "poll", "download_started"])
@pytest.mark.parametrize("victim", ["flow", "worker", "prefect", "postgres", "emulator"])
def test_each_part_may_die_at_each_announced_moment(
    world: World, undisturbed: Outcome, tally: list[Outcome], victim: str, event: str
) -> None:
    trial = Trial(world, 7, Plan((Blow(victim, event, 0.0),), ()))

    outcome = trial.run()

    tally.append(outcome)
    assert len(outcome.kills) == 1
    _compare(world, outcome, undisturbed)


def _compare(world: World, outcome: Outcome, undisturbed: Outcome) -> None:
    story = f"kills {outcome.kills}, attempts {outcome.attempts}"
    assert outcome.billed == undisturbed.billed, story
    assert outcome.rows == undisturbed.rows, story
    assert outcome.ends == undisturbed.ends, story
    assert outcome.checkpoint == undisturbed.checkpoint, story
    assert world.broken_sums() == [], story
    assert world.false_offsets() == 0
    assert not world.legacy_changed()
