"""One stack whose own worker runs the parents, and machines of their own for the slices."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(1, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(1, str(Path(__file__).parents[1] / "chaos"))

from chaos_world import World, running_world
from machines import DEPLOYMENT, Machines

SIZE = 300
SLICE_SIZE = 25


@pytest.fixture(scope="module")
def world(session_dir: Path, plain_environment: dict[str, str]) -> Iterator[World]:
    """Yield a running stack whose parents send their slices to the machines."""
    own = {**plain_environment, "BACKFILL_SLICE_DEPLOYMENT": DEPLOYMENT}
    with running_world(session_dir / "workers", own, SIZE, SLICE_SIZE) as made:
        yield made


@pytest.fixture
def machines(world: World, tmp_path: Path) -> Iterator[Machines]:
    """Yield machines that are not running yet."""
    made = Machines(world, tmp_path)
    yield made
    made.stop()
