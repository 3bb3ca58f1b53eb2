"""A stack of its own, because its parts are killed; an undisturbed run to compare with."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(1, str(Path(__file__).parents[1] / "engine"))

from chaos_ground import Outcome, Tally
from chaos_plan import Plan
from chaos_trial import Trial
from chaos_world import World, running_world

SIZE = 300
SLICE_SIZE = 50


@pytest.fixture(scope="package")
def world(session_dir: Path, plain_environment: dict[str, str]) -> Iterator[World]:
    """Yield a running stack with passages."""
    with running_world(session_dir / "chaos", plain_environment, SIZE, SLICE_SIZE) as made:
        yield made


@pytest.fixture(scope="package")
def undisturbed(world: World) -> Outcome:
    """Return what a run leaves behind that nobody disturbs."""
    return Trial(world, 0, Plan((), ())).run()


@pytest.fixture
def tally(record_property: Callable[[str, object], None], undisturbed: Outcome) -> Tally:
    """Return what adds a trial's outcome to the summary of all."""

    def add(outcome: Outcome) -> None:
        counts = {
            "seed": outcome.seed,
            "kills": len(outcome.kills),
            "faults": outcome.faults,
            "rows": len(outcome.rows),
            "twice": outcome.paid_twice,
            "lost": outcome.lost(undisturbed),
        }
        record_property("chaos", counts)

    return add
