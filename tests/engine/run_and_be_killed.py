"""One run of a backfill in a process of its own, for tests that kill it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engine_hand import Engine
from prefect.logging import disable_run_logger

from bench.without_prefect import take_out

HERE = Path(__file__).parent


def run_and_kill(engine: Engine, options: dict[str, Any], moment: str) -> None:
    """Kill a run as soon as a query finds something."""
    process = begin(options)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if engine.sql(moment):
            process.kill()
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -9, "it was too quick to be killed"


def run_and_die(options: dict[str, Any], place: str) -> None:
    """Let a run be killed in the moment in which it would call a function."""
    assert begin(options, place).wait(timeout=120) == -9, f"it never came to {place}"


def begin(options: dict[str, Any], *place: str) -> subprocess.Popen[bytes]:
    """Return the process of a run, which dies where it would call a function, if one is named."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", __file__, json.dumps(options), *place],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
    )


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":  # its own processes import it too
    with pytest.MonkeyPatch.context() as patch, disable_run_logger():
        take_out(patch.setattr)
        for place in sys.argv[2:]:
            patch.setattr(place, _die)
        engine = Engine(os.environ["BACKFILL_DATABASE_URL"], os.environ["BACKFILL_GEMINI_URL"])
        sys.stdout.write(engine.summary(**json.loads(sys.argv[1])) + "\n")
