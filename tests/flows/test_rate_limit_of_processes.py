"""The interactive rate limit is one for all processes that share a Prefect server."""

import subprocess
import sys
from pathlib import Path

import pytest

from deployments.local.stack import Stack

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
