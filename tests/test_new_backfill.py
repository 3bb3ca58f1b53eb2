"""`make new`: what it writes from a live table passes preflight and runs as it is."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from copied_project import contract_test, copy_project, environment, python, run

from deployments.local.emulator.serve import Address
from deployments.new.draft import draft
from deployments.new.wish import Wish
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.core.errors import BackfillError

TABLES = """
create schema kb;
create table reviews (
    review_id bigint primary key, title text, body text, tone text, stars numeric(2, 1),
    shop text default 'ours', "shortTitle" text generated always as (left(title, 8)) stored
);
insert into reviews (review_id, title, body)
select n, 'Parcel ' || n, 'It came late, and the lid of box ' || n || ' was broken. Never again.'
from generate_series(1, 30) as n;
create table kb."Notes" ("noteId" uuid primary key default gen_random_uuid(), "Text" text);
insert into kb."Notes" ("Text") select 'Gradient descent, explained for the ' || n || 'th time.'
from generate_series(1, 12) as n;
create type verdict as enum ('keep', 'send back');
create table kb.review_facts (
    review text not null, verdict verdict, "Mood" text, "how sure" real, "class" varchar(12),
    damages text[], sent_at timestamptz, due date, pieces smallint, is_gift boolean, extra jsonb,
    evidence jsonb, price numeric(6, 2), embedding float8[], extractor_version text not null,
    created_at timestamptz
);
insert into kb.review_facts (review, "Mood", extractor_version)
select 'old ' || n, (array['calm', 'cross'])[1 + n % 2], 'by_hand' from generate_series(1, 20) as n;
"""
NEW = {"name": "review_labels", "table": "reviews", "id": "review_id", "text": "body"}
FACTS = {**NEW, "name": "review_facts", "target": "kb.review_facts", "text": "{title}: {body}"}
NOTES = {
    "of": "passage_concepts",
    "name": "note_concepts",
    "table": "kb.Notes",
    "id": "noteId",
    "text": "Text",
    "target": "kb.note_concepts",
}

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def database(database_url: str) -> str:
    """Return a database with tables of a user's."""
    apply_migrations(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(TABLES.encode())
    return database_url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


@pytest.fixture
def values(
    copy: Path, database: str, emulator: Address, plain_environment: dict[str, str]
) -> dict[str, str]:
    return environment(copy, plain_environment, database, emulator.base_url)


@pytest.fixture
def new(copy: Path, values: dict[str, str]) -> Command:
    """Return a function that calls the command with some arguments."""

    def call(**arguments: str) -> subprocess.CompletedProcess[str]:
        given = [f"--{name}={value}" for name, value in arguments.items()]
        return python(copy, values, "-m", "deployments.new", *given)

    return call


def test_a_new_table_is_filled_by_what_was_written(
    new: Command, copy: Path, values: dict[str, str]
) -> None:
    made = new(**NEW, where="review_id > 10", write="1", create="1")
    assert made.returncode == 0, made.stderr

    script = """
print(engine.run(name="review_labels", kind="pilot").message)
print(engine.summary(name="review_labels"))
print(engine.sql("select count(*)::int as n, min(review_id)::int as low,"
                 " bool_and(confidence <= 1 and label in ('positive', 'neutral', 'negative')) as ok"
                 " from review_labels"))
"""
    pilot, full, rows = run(copy, script, values)[-3:]
    assert "20 written" in pilot
    assert full == "Nothing to do."
    assert rows == "[{'n': 20, 'low': 11, 'ok': True}]"
    assert (copy / "backfills.toml").read_text() == (
        '[review_labels.source]\nwhere = "review_id > 10"\n'
    )
    assert "make record-version NAME=review_labels" in made.stdout


def test_an_existing_table_is_filled_whatever_its_columns_are(
    new: Command, copy: Path, values: dict[str, str]
) -> None:
    made = new(**FACTS, write="1")
    assert made.returncode == 0, made.stderr
    assert "embedding (double precision[]) is left out" in made.stdout

    script = """
print(engine.summary(name="review_facts"))
print(engine.sql('select count(*)::int as n, bool_and("Mood" in (\\'calm\\', \\'cross\\')) as mood,'
                 ' bool_and(verdict is not null and "class" is not null and due is not null)'
                 ' as filled,'
                 " bool_and(jsonb_typeof(extra) = 'array' and evidence ? 'support') as json"
                 " from kb.review_facts where extractor_version = 'review_facts_v1'"))
"""
    said, rows = run(copy, script, values)[-2:]
    assert said.startswith("30 targets: 30 written")
    assert rows == "[{'n': 30, 'mood': True, 'filled': True, 'json': True}]"


def test_columns_of_the_table_itself_are_filled_in_place(
    new: Command, copy: Path, values: dict[str, str]
) -> None:
    made = new(**{**NEW, "name": "reviews_read"}, kind="in-place", write="1")
    assert made.returncode == 0, made.stderr
    assert "shop" not in (copy / "tasks" / "backfills" / "reviews_read.py").read_text()

    script = """
print(engine.summary(name="reviews_read"))
print(engine.sql("select count(tone)::int as tones, count(stars)::int as stars from reviews"))
"""
    said, rows = run(copy, script, values)[-2:]
    assert said.startswith("30 targets: 30 written")
    assert rows == "[{'tones': 30, 'stars': 30}]"


def test_another_table_for_a_declaration_takes_site_lines_alone(
    new: Command, copy: Path, values: dict[str, str]
) -> None:
    (copy / "backfills.toml").write_text("[songs]\ntemperature = 0.3\n")

    made = new(**NOTES, write="1", create="1")

    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("# No module is needed")
    assert (copy / "backfills.toml").read_text() == (
        "[songs]\ntemperature = 0.3\n\n"
        '[note_concepts]\nof = "passage_concepts"\n\n'
        '[note_concepts.source]\ntable = "kb.Notes"\nid = "noteId"\ntext = "{Text}"\n\n'
        '[note_concepts.target]\ntable = "kb.note_concepts"\nid = "noteId"\n'
    )
    script = """
print(engine.summary(name="note_concepts"))
print(engine.sql('select count(distinct "noteId")::int as n, min(concept_name) > \\'\\' as ok'
                 ' from kb.note_concepts'))
"""
    said, rows = run(copy, script, values)[-2:]
    assert said.startswith("12 targets: 12 written")
    assert rows == "[{'n': 12, 'ok': True}]"


def test_what_is_written_is_as_the_house_writes_it(
    new: Command, copy: Path, values: dict[str, str]
) -> None:
    for wish in (NEW, FACTS, {**NEW, "name": "reviews_read", "kind": "in-place"}):
        made = new(**wish, write="1", create="1")
        assert made.returncode == 0, made.stderr
    for name in ("review_labels", "review_facts", "reviews_read"):
        python(copy, values, "-m", "deployments.record_version", name)

    contract = contract_test(copy, values)
    lint = python(copy, values, "-m", "ruff", "check", "--no-cache", "tasks/backfills")
    style = python(copy, values, "-m", "ruff", "format", "--no-cache", "--diff", "tasks/backfills")

    assert contract.returncode == 0, contract.stdout[-3000:]
    assert lint.returncode == 0, lint.stdout
    assert style.returncode == 0, style.stdout


def test_without_being_told_to_write_it_only_prints(
    new: Command, copy: Path, database: str
) -> None:
    before = sorted(copy.rglob("*.py"))

    made = new(**NEW)

    assert made.returncode == 0, made.stderr
    for part in (
        'source=Rows("reviews", id="review_id", text="{body}")',
        "You read rows of a table called reviews",
        "create table review_labels (",
        "review_id bigint not null,",
        "primary key (review_id, extractor_version)",
    ):
        assert part in made.stdout
    assert sorted(copy.rglob("*.py")) == before
    with psycopg.connect(database) as connection:
        there = connection.execute("select to_regclass('review_labels')").fetchone()
    assert there == (None,)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"table": "revews"}, "Set TABLE: database"),
    ({"id": "reviewid"}, "reviews has no column reviewid; it has review_id: set ID"),
    ({"text": "bod"}, "it has body: set TEXT"),
    ({"text": "{title}: {bdy}"}, "reviews has no column bdy; it has body: set TEXT"),
    ({"text": "{title"}, "TEXT cannot be read"),
    ({"where": "boddy is null"}, "source.where in [review_labels] is no condition over reviews"),
    ({"name": "songs"}, "NAME=songs is taken"),
    ({"name": "Review Labels"}, "NAME=Review Labels is no name"),
    ({"name": ""}, "NAME is missing: make new NAME=review_tones"),
    ({"kind": "both"}, "KIND=both is unknown"),
    ({"kind": "in-place", "columns": ("tonne",)}, "it has tone: set COLUMNS"),
    ({"target": "nowhere.labels"}, 'The table for the answers cannot be made: schema "nowhere"'),
    ({"of": "passage_concept"}, "did you mean passage_concepts?"),
    ({"of": "songs"}, "songs takes its rows from CSV files"),
    ({"target": "reviews", "kind": "new"}, "KIND=new wants another TARGET"),
    ({"target": 'kb."Notes"'}, "Notes has no column for the id of reviews"),
]


def test_each_fault_is_one_sentence_that_says_what_to_write(database: str) -> None:
    for changes, said in FAULTS:
        with (
            connect(database) as connection,
            pytest.raises(BackfillError, match=re.escape(said)) as refused,
        ):
            draft(connection, Wish(**{**NEW, **changes}))

        assert "\n" not in str(refused.value)


def test_a_fault_is_said_and_nothing_is_written(new: Command, copy: Path) -> None:
    made = new(**{**NEW, "text": "bod"}, write="1")

    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == "reviews has no column bod; it has body: set TEXT.\n"
    assert not (copy / "tasks" / "backfills" / "review_labels.py").exists()


def test_what_is_there_already_is_not_overwritten(new: Command, copy: Path) -> None:
    (copy / "tasks" / "prompts" / "review_labels.md").write_text("Mine.")

    made = new(**NEW, write="1")

    assert made.stderr == (
        "tasks/prompts/review_labels.md is there already: take it away, or change NAME.\n"
    )
    assert not (copy / "tasks" / "backfills" / "review_labels.py").exists()
