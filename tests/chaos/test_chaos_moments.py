"""Kill -9 of each part at each moment that the emulator announces."""

import pytest
from chaos_ground import Outcome, Tally, compare
from chaos_plan import Blow, Plan
from chaos_trial import Trial
from chaos_world import World

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


# Each part and each moment at least once; `make chaos` tries them all, and in between.
@pytest.mark.parametrize(
    ("victim", "event"),
    [
        ("flow", "upload_finished"),
        ("flow", "job_created"),
        ("flow", "poll"),
        ("worker", "download_started"),
        ("prefect", "job_created"),
        ("prefect", "poll"),
        ("postgres", "download_started"),
        ("postgres", "upload_finished"),
        ("emulator", "job_created"),
    ],
)
def test_each_part_may_die_at_each_announced_moment(
    world: World, undisturbed: Outcome, tally: Tally, victim: str, event: str
) -> None:
    trial = Trial(world, 7, Plan((Blow((victim,), event, 0.0),), ()))

    outcome = trial.run()

    tally(outcome)
    assert len(outcome.kills) == 1
    compare(outcome, undisturbed)
