"""One stack whose own worker runs the parents, and machines of their own for the slices."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))

from chaos_world import World
from machines import DEPLOYMENT, Machines

from deployments.local.ports import Ports
from deployments.local.stack import Stack

SIZE = 300
SLICE_SIZE = 25


@pytest.fixture(scope="module")
def world(session_dir: Path, plain_environment: dict[str, str]) -> Iterator[World]:
    """Yield a running stack whose parents send their slices to the machines."""
    own = {**plain_environment, "BACKFILL_SLICE_DEPLOYMENT": DEPLOYMENT}
    stack = Stack(session_dir / "workers", Ports(0, 0, 0), environment=own)
    try:
        stack.up()
        made = World(stack, SIZE, SLICE_SIZE)
        yield made
        made.close()
    finally:
        stack.down()


@pytest.fixture
def machines(world: World, tmp_path: Path) -> Iterator[Machines]:
    """Yield machines that are not running yet."""
    made = Machines(world, tmp_path)
    yield made
    made.stop()
