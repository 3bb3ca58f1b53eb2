"""Sample data: `make up` alone is enough for a first run, and no real key is spent on it."""

import csv
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deployments.local import samples
from deployments.local.addresses import Addresses
from deployments.local.errors import StackError
from deployments.local.stack import Stack
from tasks import backfills
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.places import Rows
from tasks.planning.tables_fit import fit

COUNTS = """
select
    (select count(*) from passages),
    (select count(*) from passages where section = 'references' and quality_score < 0.5),
    (select count(distinct extractor_version) from passage_concepts),
    (select count(*) from code_chunks where search_vector is not null),
    (select count(*) from jobs_enriched),
    (select count(backfill.embedding_flaw(to_jsonb(embedding), 768)) from jobs_enriched)
"""
FOR_TABLES = ("passage_concepts", "chunk_concepts", "job_enrichment")


@pytest.fixture
def embedded(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """Yield a stack, not started, whose embedded database is a migrated, empty one."""
    apply_migrations(empty_database)
    monkeypatch.setenv("BACKFILL_GEMINI_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    stack = Stack(tmp_path, environment={})
    monkeypatch.setattr(stack, "addresses", lambda: Addresses(empty_database, None, None))
    yield stack
    settings.cache_clear()


def counted(empty_database: str) -> object:
    with psycopg.connect(empty_database) as connection:
        return connection.execute(COUNTS.encode()).fetchone()


def test_every_table_of_the_backfills_is_made_and_filled(
    embedded: Stack, empty_database: str
) -> None:
    loaded = samples.load(embedded)

    assert loaded[:3] == ["passages", "code_chunks", "jobs_enriched"]
    passages, references, *others = counted(empty_database)  # type: ignore[misc]
    assert passages == 300
    assert 0 < references < 20
    assert others == [2, 200, 117, 116]
    with connect(empty_database) as connection:
        for name in FOR_TABLES:
            assert fit(connection, backfills.get(name)).problems == []


def test_a_file_of_songs_lies_beside_it(embedded: Stack) -> None:
    samples.load(embedded)

    path = embedded.home / "samples" / "songs.csv"
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert {*backfills.get("songs").template.columns} <= {*header}
    assert len(rows) == 300


def test_loading_again_changes_nothing(embedded: Stack, empty_database: str) -> None:
    samples.load(embedded)
    with psycopg.connect(empty_database) as connection:
        connection.execute("delete from passages where section = 'references'")
    before = counted(empty_database)

    assert samples.load(embedded) == []
    assert counted(empty_database) == before


def test_a_database_of_the_users_own_is_left_alone(empty_database: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, environment={"BACKFILL_DATABASE_URL": empty_database})

    assert samples.load(stack) == []
    with pytest.raises(StackError, match="unset BACKFILL_DATABASE_URL"):
        samples.load_all(stack, passages=5)
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("select count(*) from pg_class where relname = 'passages'")
        assert found.fetchone() == (0,)


def test_a_table_that_the_user_made_in_the_embedded_database_is_left_alone(
    embedded: Stack, empty_database: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create table passages (mine text)")

    assert "passages" not in samples.load(embedded)
    with pytest.raises(StackError, match=r"Table passages .* was not made for the demo"):
        samples.load_all(embedded, passages=5)


def test_the_demo_adds_to_what_was_loaded_before(embedded: Stack, empty_database: str) -> None:
    samples.load(embedded)

    samples.load_all(embedded, passages=320)

    passages, *_ = counted(empty_database)  # type: ignore[misc]
    assert passages == 320


@pytest.mark.parametrize("name", FOR_TABLES)
def test_no_real_key_is_spent_on_sample_data(
    embedded: Stack, empty_database: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.load(embedded)
    backfill = backfills.get(name)
    assert isinstance(backfill.source, Rows)
    table = backfill.source.table

    def problems(gemini_url: str) -> list[str]:
        monkeypatch.setenv("BACKFILL_GEMINI_URL", gemini_url)
        settings.cache_clear()
        with connect(empty_database) as connection:
            said = fit(connection, backfill).problems
            return [each for each in said if "sample data" in each]

    assert problems("http://127.0.0.1:1") == []
    [sentence] = problems("")
    assert f"Table {table} holds sample data" in sentence

    with psycopg.connect(empty_database) as connection:
        connection.execute(f"comment on table {table} is null".encode())
    assert problems("") == []
