"""A stack of its own, because its parts are killed; an undisturbed run to compare with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos_trial import Plan, Trial
from chaos_world import Outcome, World

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


TALLY = pytest.StashKey[list[Outcome]]()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> list[Outcome]:
    """Return the outcomes of all trials so far; a trial adds its own."""
    return request.config.stash.setdefault(TALLY, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what all trials come to."""
    outcomes = config.stash.get(TALLY, [])
    if not outcomes:
        return
    most = max(len(each.rows) for each in outcomes)
    twice = sum(times - 1 for each in outcomes for times in each.billed.values())
    terminalreporter.write_line(
        f"Chaos: {len(outcomes)} trials (seeds {', '.join(str(each.seed) for each in outcomes)}),"
        f" {sum(len(each.kills) for each in outcomes)} kills,"
        f" {sum(each.faults for each in outcomes)} faults met,"
        f" {sum(len(each.rows) for each in outcomes):,} rows compared,"
        f" duplicates paid: {twice},"
        f" rows lost: {sum(most - len(each.rows) for each in outcomes)}"
    )
