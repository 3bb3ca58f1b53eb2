"""A part is away for a while: the run that needs it waits, and comes to its end by itself."""

import pytest
from chaos_ground import Outcome, compare
from chaos_world import World


@pytest.mark.long
@pytest.mark.timeout(250)
@pytest.mark.parametrize(
    ("part", "moments", "away"),
    [
        # Prefect's server lives in the same Postgres, and answers 500 while that is away.
        ("postgres", ("job_created", "job_succeeded", "job_succeeded"), 4.0),
        ("prefect", ("job_succeeded",), 60.0),
    ],
)
def test_a_run_outlasts_a_part_that_is_away(
    world: World, undisturbed: Outcome, part: str, moments: tuple[str, ...], away: float
) -> None:
    world.reset()
    world.set(run_seconds=3.0)
    run = world.start()
    for moment in moments:
        world.happened(moment)
        world.kill(part, away)

    state = world.ended(run, seconds=150)

    assert state["type"] == "COMPLETED", state["message"]
    compare(world.outcome(), undisturbed)
