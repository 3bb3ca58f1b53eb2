"""Preflight names everything that is wrong, at once, each in one sentence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from engine_hand import NAME, Engine

import tasks.planning.preflight
from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.settings import settings
from tasks.core.backfill import Backfill
from tasks.core.places import NewRows, Rows
from tasks.planning.preflight import look, preflight

BACKFILL = backfills.get(NAME)


def problems(backfill: Backfill = BACKFILL) -> list[str]:
    settings.cache_clear()
    gemini.cache_clear()
    return look(backfill).problems


def test_where_all_is_well_nothing_is_said(engine: Engine) -> None:
    assert problems() == []


def test_everything_that_is_wrong_is_said_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql("alter table passage_concepts drop column evidence")
    engine.sql("alter table kb_migrations drop column cursor_type")
    engine.sql("drop table passages")
    monkeypatch.setenv("GEMINI_API_KEY", "invalid-key")
    monkeypatch.setenv("BACKFILL_LEAST_DISK_BYTES", str(10**18))
    monkeypatch.setenv("BACKFILL_TIER", "1")

    found = problems(replace(BACKFILL, model="gemini-2.5-flsh"))

    for words in (
        "There is no model 'gemini-2.5-flsh' in tasks/models.toml",
        "API key not valid",
        "GB are free in",
        "how many tokens of 'gemini-2.5-flsh' may wait",
        "passage_concepts has no column evidence, which passage_concepts writes",
        "kb_migrations has no column cursor_type",
        "lacks table passages",
    ):
        assert sum(words in each for each in found) == 1, (words, found)


@pytest.fixture
def reader(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Join as a user who may only read, and only the user's tables."""
    engine.sql("create role reader")
    engine.sql("grant select on passages, passage_concepts to reader")
    mark = "&" if "?" in engine.database_url else "?"
    address = f"{engine.database_url}{mark}options=-c%20role%3Dreader"
    with monkeypatch.context() as joined:
        joined.setenv("BACKFILL_DATABASE_URL", address)
        yield engine
    settings.cache_clear()
    engine.sql("drop owned by reader")
    engine.sql("drop role reader")


def test_missing_rights_are_named_with_their_user(reader: Engine) -> None:
    with psycopg.connect(reader.database_url) as owner:
        owner.execute("grant usage on schema backfill to reader")
        owner.execute("grant select on all tables in schema backfill to reader")

    found = problems()

    assert (
        "User 'reader' may not delete, insert on passage_concepts: grant delete, insert on"
        " public.passage_concepts to reader;"
    ) in found
    assert any("User 'reader' may not insert, select, update on kb_migr" in each for each in found)


def test_a_user_without_any_right_to_the_ledger_is_told_so(reader: Engine) -> None:
    [sentence] = problems()

    assert "User 'reader' may not use the ledger" in sentence
    assert "grant" in sentence


def test_what_stops_nothing_is_logged_and_the_run_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql(
        "create table chunks (chunk_id uuid primary key, content text);"
        "create table found (chunk_id text, concept_name text, concept_type text, aliases jsonb,"
        " confidence real, extractor_model text, extractor_version text)"
    )
    chunks = replace(
        backfills.get("chunk_concepts"),
        source=Rows("chunks", id="chunk_id", text="{content}"),
        target=NewRows("found", id="chunk_id", key="concept_name", optional=("evidence",)),
    )
    monkeypatch.setattr(backfills, "get", lambda _: chunks)
    logged: list[str] = []
    monkeypatch.setattr(
        tasks.planning.preflight,
        "get_run_logger",
        lambda: SimpleNamespace(warning=logged.append),
    )

    preflight.directly("chunk_concepts")

    assert logged == [
        "found has no column evidence: it is left out.",
        "chunks is empty: there is nothing to ask.",
    ]


def test_a_directory_that_cannot_be_made_is_named(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_WORK_DIR", "/proc/nowhere")

    [sentence] = problems()

    assert "/proc/nowhere" in sentence
    assert "BACKFILL_WORK_DIR" in sentence


def test_a_run_makes_the_views_that_readers_use(engine: Engine, tmp_path: Path) -> None:
    assert problems() == []

    [row] = engine.sql("select to_regclass('backfill.passage_concepts_best') is not null as there")
    assert row["there"]
