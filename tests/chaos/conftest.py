"""A stack of its own, because its parts are killed; an undisturbed run to compare with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos_world import Outcome, Plan, Trial, World

from deployments.local.ports import Ports
from deployments.local.stack import Stack

SIZE = 300
SLICE_SIZE = 50


@pytest.fixture(scope="session")
def world(session_dir: Path, plain_environment: dict[str, str]) -> Iterator[World]:
    """Yield a running stack with passages."""
    stack = Stack(session_dir / "chaos", Ports(0, 0, 0), environment=plain_environment)
    try:
        stack.up()
        made = World(stack, SIZE, SLICE_SIZE)
        yield made
        made.close()
    finally:
        stack.down()


@pytest.fixture(scope="session")
def undisturbed(world: World) -> Outcome:
    """Return what a run leaves behind that nobody disturbs."""
    return Trial(world, 0, Plan((), ())).run()


@pytest.fixture(scope="session")
def tally(undisturbed: Outcome, request: pytest.FixtureRequest) -> Iterator[list[Outcome]]:
    """Collect the outcomes of all trials, and say in the end what they come to."""
    outcomes: list[Outcome] = []
    yield outcomes
    twice = sum(times - 1 for each in outcomes for times in each.billed.values())
    lost = sum(max(0, len(undisturbed.rows) - len(each.rows)) for each in outcomes)
    line = (
        f"Chaos: {len(outcomes)} trials, {sum(len(each.kills) for each in outcomes)} kills,"
        f" {sum(each.faults for each in outcomes)} faults,"
        f" {sum(len(each.rows) for each in outcomes):,} rows compared,"
        f" duplicates paid: {twice}, rows lost: {lost}"
    )
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(f"\n{line}")
