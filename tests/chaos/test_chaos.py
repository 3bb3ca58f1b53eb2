"""Kill -9 of anything at any moment, then run again: the rows and the bill of an undisturbed run.

A failing seed is replayed with CHAOS_SEEDS=<seed> pytest tests/chaos -m "long or not long".
"""

import os

import pytest
from chaos_trial import Trial
from chaos_world import Outcome, Tally, World, compare

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
    world: World, undisturbed: Outcome, tally: Tally, seed: int
) -> None:
    trial = Trial(world, seed)

    outcome = trial.run()

    tally(outcome)
    compare(world, outcome, undisturbed)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", seeds(LONG_SEEDS))
def test_whatever_is_killed_often_the_same_rows_are_written_and_paid_once(
    world: World, undisturbed: Outcome, tally: Tally, seed: int
) -> None:
    trial = Trial(world, seed)

    outcome = trial.run()

    tally(outcome)
    compare(world, outcome, undisturbed)
