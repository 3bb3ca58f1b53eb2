"""The interactive rate limit is one for all processes that share a Prefect server."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from deployments.local.stack import Stack
from tasks.adapters import rate_limits

TURNS = 6
A_SECOND = {"BACKFILL_REQUESTS_PER_MINUTE": "60"}


@pytest.mark.timeout(120)
def test_two_processes_ask_no_more_often_than_one_may(prefect_env: Stack) -> None:
    environment = prefect_env.environment() | A_SECOND
    command = [sys.executable, str(Path(__file__).with_name("take_turns.py")), str(TURNS)]

    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate()[0].split() for process in both]

    turns = sorted(float(turn) for lines in printed for turn in lines)
    assert [process.returncode for process in both] == [0, 0]
    assert len(turns) == 2 * TURNS
    # One a second, of both together; each by itself would be through in half that time.
    assert turns[-1] - turns[0] >= 0.75 * (2 * TURNS - 2)


def test_a_limit_that_another_process_has_just_made_is_taken_as_it_is(prefect_env: Stack) -> None:
    wanted = GlobalConcurrencyLimitCreate(name="made-twice", limit=1, slot_decay_per_second=1.0)

    async def make_twice() -> int:
        async with get_client() as client:
            await rate_limits._create(client, wanted)
            await rate_limits._create(client, wanted)
            return (await client.read_global_concurrency_limit_by_name("made-twice")).limit

    assert asyncio.run(make_twice()) == 1
