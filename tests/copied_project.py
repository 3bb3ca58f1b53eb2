"""A copy of the project, for tests that add files to it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FIRST_LINES = """
import sys
from pathlib import Path
sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "tests" / "engine")]
from engine_hand import Engine
from bench.without_prefect import take_out
from prefect.logging import disable_run_logger
from tasks import backfills
from tasks.adapters import measures
from tasks.adapters.postgres import connect, statements

engine = Engine(sys.argv[1], sys.argv[2])
engine.set(run_seconds=0.0, trouble=0.0)
take_out()
quiet = disable_run_logger()
quiet.__enter__()
"""
"""What a script needs to run backfills in the copy, through `engine`."""


def copy_project(place: Path) -> Path:
    """Return the place, which holds what a run and the contract test need by now."""
    for name in ("flows", "tasks", "sql", "deployments", "bench", "tests/engine"):
        shutil.copytree(PROJECT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/test_backfills.py", "tests/prompt_digests.json"):
        shutil.copy(PROJECT / name, place / name)
    return place


def environment(
    copy: Path, plain: Mapping[str, str], database_url: str, emulator_url: str
) -> dict[str, str]:
    """Return the environment of a process that runs the copy."""
    return {
        **plain,
        "BACKFILL_DATABASE_URL": database_url,
        "BACKFILL_GEMINI_URL": emulator_url,
        "GEMINI_API_KEY": "a-key",
        "BACKFILL_POLL_SECONDS": "0.05",
        "PREFECT_HOME": str(copy / ".prefect"),
        "PYTHONPATH": str(copy),
    }


def run(copy: Path, script: str, values: Mapping[str, str]) -> list[str]:
    """Return the lines that a script prints to whom FIRST_LINES have given an engine."""
    urls = [values["BACKFILL_DATABASE_URL"], values["BACKFILL_GEMINI_URL"]]
    done = python(copy, values, "-W", "ignore", "-c", FIRST_LINES + script, *urls)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()


def contract_test(copy: Path, values: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run tests/test_backfills.py in the copy."""
    plugins = ("-p", "no:cacheprovider", "-o", "addopts=")
    return python(copy, values, "-m", "pytest", "-q", *plugins, "tests/test_backfills.py")


def python(
    copy: Path, values: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=dict(values),
        capture_output=True,
        text=True,
        check=False,
    )
