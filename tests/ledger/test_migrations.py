from pathlib import Path

import psycopg
import pytest

from tasks.adapters import migrations, queries
from tasks.core.errors import PreflightError

LEGACY = """
create table kb_migrations (job_name text, cursor_position text, cursor_type text,
    updated_at timestamptz, status text, items_processed bigint);
insert into kb_migrations values
    ('old job', 'x', 'uuid', now(), 'completed', 12), ('old job', 'y', 'uuid', now(), 'running', 3);
create table passages (passage_id uuid, text text);
insert into passages values (gen_random_uuid(), 'one'), (gen_random_uuid(), null);
create table passage_concepts (passage_id uuid, concept_name text, concept_type text,
    aliases jsonb, confidence real, extractor_model text, extractor_version text,
    evidence jsonb, created_at timestamptz);
insert into passage_concepts select passage_id, 'c', 'method', '[]', 0.5, 'm', 'llm_v2', null, now()
    from passages cross join generate_series(1, 2);
"""
CHECKSUMS = """
select md5(string_agg(t::text, '|' order by t::text)) from {table} as t
"""
USERS = ("kb_migrations", "passages", "passage_concepts")


def checksums(connection: psycopg.Connection) -> list[object]:
    statements = [CHECKSUMS.format(table=table).encode() for table in USERS]
    return [connection.execute(statement).fetchone() for statement in statements]


def test_applying_twice_changes_nothing(database_url: str) -> None:
    first = migrations.apply(database_url)

    second = migrations.apply(database_url)

    assert "0001_create_ledger.sql" in first
    assert second == []


def test_a_database_with_legacy_rows_is_adopted_without_touching_one(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(LEGACY)
        before = checksums(connection)

    migrations.apply(database_url)

    with psycopg.connect(database_url) as connection:
        assert before == checksums(connection)


def test_a_changed_migration_that_was_applied_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    for path in (queries.SQL_ROOT / "migrations").glob("*.sql"):
        (directory / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(queries, "SQL_ROOT", tmp_path)
    migrations.apply(database_url)
    with (directory / "0001_create_ledger.sql").open("a") as file:
        file.write("-- an afterthought\n")

    with pytest.raises(PreflightError, match="applied to this database with other contents"):
        migrations.apply(database_url)


def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    (directory / "0001_half.sql").write_text("create table half (x int); select 1/0;")
    monkeypatch.setattr(queries, "SQL_ROOT", tmp_path)

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrations.apply(database_url)

    with psycopg.connect(database_url) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)
