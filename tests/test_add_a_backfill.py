"""The guide's example, executed as it is written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.local.emulator.serve import Address
from tasks.adapters.postgres import apply_migrations

PROJECT = Path(__file__).resolve().parents[1]
GUIDE = PROJECT / "docs" / "add-a-backfill.md"
FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
import sys
from pathlib import Path
sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "tests" / "engine")]
import pytest
from engine_hand import Engine
import conftest as of_engine
from prefect.logging import disable_run_logger
from tasks.adapters.postgres import connect, statements

with pytest.MonkeyPatch.context() as patch, disable_run_logger():
    of_engine.without_prefect(patch)
    with connect() as connection:
        connection.execute(statements("demo/reviews.sql")["create_tables"])
        for number in range(30):
            body = f"Parcel {number} came late, and the lid of the box was broken. Never again."
            connection.execute("insert into reviews values (%s, %s)", (number, body))
    engine = Engine(sys.argv[1], sys.argv[2])
    print(engine.summary(name="review_tones"))
    print(engine.summary(name="review_tones"))
    print(engine.sql("select count(*)::int as n, min(language) > '' as ok from review_tones"))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project with the files of the guide in it."""
    for name in ("flows", "tasks", "sql", "deployments", "tests/engine"):
        shutil.copytree(
            PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("tests/test_backfills.py", "tests/prompt_digests.json"):
        shutil.copy(PROJECT / name, tmp_path / name)
    for path, text in FILE.findall(GUIDE.read_text(encoding="utf-8")):
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_example_of_the_guide_runs_as_it_is_written(
    copy: Path, database_url: str, emulator: Address, plain_environment: dict[str, str]
) -> None:
    apply_migrations(database_url)
    environment = {
        **plain_environment,
        "BACKFILL_DATABASE_URL": database_url,
        "BACKFILL_GEMINI_URL": emulator.base_url,
        "GEMINI_API_KEY": "a-key",
        "BACKFILL_POLL_SECONDS": "0.05",
        "PREFECT_HOME": str(copy / ".prefect"),
        "PYTHONPATH": str(copy),
    }
    command = [sys.executable, "-W", "ignore", "-c", RUN, database_url, emulator.base_url]

    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    first, again, rows = done.stdout.strip().splitlines()[-3:]
    assert first.startswith("30 targets: 30 written")
    assert again == "Nothing to do."
    assert rows == "[{'n': 30, 'ok': True}]"


def test_the_contract_test_asks_for_the_digest_and_for_nothing_else(copy: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_backfills.py",
    ]

    done = subprocess.run(
        command,
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "HOME": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 'record "tones_v1"' in done.stdout
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert failed == {
        "test_a_changed_prompt_schema_or_model_has_a_new_extractor_version",
        "test_every_recorded_backfill_still_exists",
    }
