"""Kill -9 of anything at any moment, then run again: the rows and the bill of an undisturbed run.

This is a short one, through a worker; `make chaos` has as many as one likes.
"""

import pytest
from chaos_ground import Outcome, Tally, compare
from chaos_trial import Trial
from chaos_world import World


@pytest.mark.long
def test_whatever_is_killed_the_same_rows_are_written_and_paid_once(
    world: World, undisturbed: Outcome, tally: Tally
) -> None:
    outcome = Trial(world, seed=3).run()

    tally(outcome)
    compare(outcome, undisturbed)
