"""The guide's example, executed as it is written."""

import re
from pathlib import Path

import pytest
from copied_project import PROJECT, contract_test, copy_project, environment, python, run

from deployments.local.emulator.serve import Address

GUIDE = PROJECT / "docs" / "add-a-backfill.md"
FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
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
    [first] = engine.sql("select run_id from backfill.runs order by started_at limit 1")
    found = measures.measure(connection, backfills.get("review_tones"), first["run_id"])
print(found["null_language"], found["share_of_doubtful"])
print(engine.summary(name="ticket_tones"))
print(engine.sql("select count(*)::int as n, min(mood) > '' as ok from support.ticket_tones"))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project with the files of the guide in it."""
    copy_project(tmp_path)
    for path, text in FILE.findall(GUIDE.read_text(encoding="utf-8")):
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_example_of_the_guide_runs_as_it_is_written(
    copy: Path, database_url: str, emulator: Address, plain_environment: dict[str, str]
) -> None:
    values = environment(copy, plain_environment, database_url, emulator.base_url)

    first, again, rows, measured, tickets, moods = run(copy, RUN, values)[-6:]

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
    values = {"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "HOME": str(copy)}

    before = contract_test(copy, values)
    recorded = python(copy, values, "-m", "deployments.record_version", "review_tones")
    after = contract_test(copy, values)

    assert "record it by `make record-version NAME=review_tones`" in before.stdout
    failed = re.findall(r"^FAILED \S+::(\S+)", before.stdout, re.MULTILINE)
    assert failed == ["test_a_changed_question_has_a_new_extractor_version[review_tones]"]
    assert recorded.stdout == "tones_v1 of review_tones is recorded.\n"
    assert after.returncode == 0, after.stdout[-3000:]
