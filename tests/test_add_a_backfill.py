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
from tasks import backfills
from tasks.adapters import measures
from tasks.adapters.postgres import connect, statements

with pytest.MonkeyPatch.context() as patch, disable_run_logger():
    of_engine.without_prefect(patch)
    engine = Engine(sys.argv[1], sys.argv[2])
    for file in ("demo/reviews.sql", "demo/tickets.sql"):
        engine.sql(statements(file)["create_tables"])
    said = "'Parcel ' || n || ' came late, and the lid of the box was broken. Never again.'"
    number = "generate_series(1, 30) as n"
    engine.sql("insert into reviews select n, 'Late', " + said + " from " + number)
    engine.sql('insert into support."Tickets" (subject, message, closed_at)'
               " select 'Late', " + said + ", case when n > 10 then now() end from " + number)
    print(engine.summary(name="review_tones"))
    print(engine.summary(name="review_tones"))
    print(engine.sql("select count(*)::int as n, min(language) > '' as ok from review_tones"))
    with connect() as connection:
        [run] = engine.sql("select run_id from backfill.runs order by started_at limit 1")
        found = measures.measure(connection, backfills.get("review_tones"), run["run_id"])
    print(found["null_language"], found["share_of_doubtful"])
    print(engine.summary(name="ticket_tones"))
    print(engine.sql("select count(*)::int as n, min(mood) > '' as ok from support.ticket_tones"))
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
    first, again, rows, measured, tickets, moods = done.stdout.strip().splitlines()[-6:]
    assert first.startswith("30 targets: 30 written")
    assert again == "Nothing to do."
    assert rows == "[{'n': 30, 'ok': True}]"
    assert measured == "0.0 0.0"
    assert tickets.startswith("20 targets: 20 written")
    assert moods == "[{'n': 20, 'ok': True}]"


def test_the_command_of_the_guide_is_all_that_the_contract_test_asks_for(copy: Path) -> None:
    # One Python file and one prompt: what takes SQL is beside them.
    (copy / "sql" / "queries" / "review_tones.sql").unlink()
    (copy / "backfills.toml").unlink()

    before = python(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_backfills.py")
    recorded = python(copy, "deployments.record_version", "review_tones")
    after = python(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_backfills.py")

    assert "record it by `make record-version NAME=review_tones`" in before.stdout
    failed = re.findall(r"^FAILED \S+::(\S+)", before.stdout, re.MULTILINE)
    assert failed == ["test_a_changed_question_has_a_new_extractor_version[review_tones]"]
    assert recorded.stdout == "tones_v1 of review_tones is recorded.\n"
    assert after.returncode == 0, after.stdout[-3000:]


def python(copy: Path, *module: str) -> subprocess.CompletedProcess[str]:
    """Run a module in the copy."""
    return subprocess.run(
        [sys.executable, "-m", *module],
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "HOME": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
