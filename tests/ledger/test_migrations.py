import hashlib
from pathlib import Path

import psycopg
import pytest

from tasks.adapters import migrations
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import SQL_ROOT
from tasks.core.errors import PreflightError

LEGACY = """
create table kb_migrations (job_name text, cursor_position text, cursor_type text,
    updated_at timestamptz, status text, items_processed bigint);
insert into kb_migrations values
    ('old job', 'x', 'uuid', now(), 'completed', 12), ('old job', 'y', 'uuid', now(), 'running', 3);
create table passages (passage_id uuid, passage_text text);
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
IN_FLIGHT = """
with run as (
    insert into backfill.runs (backfill, extractor_version, kind) values ('b', 'v', 'full')
    returning run_id
)
insert into backfill.slices (
    slice_id, run_id, backfill, extractor_version, model, wave, state, transport, request_count,
    estimated_input_tokens, estimated_usd
)
select slice_id, run_id, 'b', 'v', 'm', 1, state, transport, 1, 1, 5
from run
cross join (values
    ('in flight', 'submitted', 'batch'),
    ('at once', 'submitted', 'interactive'),
    ('done', 'done', 'batch')
) as slices (slice_id, state, transport)
"""
RELEASED = {
    "0001_create_ledger.sql": "bb491c95cb9a37cc",
    "0002_serve_the_operator.sql": "39970753da372873",
    "0003_ask_two_questions.sql": "e7b792b3088672f8",
    "0004_hand_slices_to_workers.sql": "448df66371564acb",
    "0005_describe_the_users_data.sql": "6c7ea18ae18bde5c",
    "0006_keep_answers.sql": "7acce34255cf4669",
    "0007_read_answers_again.sql": "5d25408e6a9243ad",
    "0008_keep_what_stood_before.sql": "0e03c6b4788f09fd",
    "0009_forget_on_request.sql": "938181d4825eda2e",
    "0010_look_at_what_changed.sql": "ea2c9ff1b796fe99",
    "0011_keep_promises.sql": "9c46f1deacc080a2",
    "0012_judge_every_slice.sql": "a32cf9b8fc1b954e",
    "0013_end_without_indexes.sql": "65c1a2a332114511",
    "0014_remember_measures.sql": "db49de5278fd62ff",
    "0015_restore_in_order.sql": "298befb5a1a1d599",
    "0016_pause_a_backfill.sql": "f3040c0f7dd1effa",
    "0017_print_values.sql": "7f4b915cad6e51b9",
    "0018_try_rows.sql": "9d91a6049dd89dd9",
    "0019_quote_as_the_file_does.sql": "d21d91e500cc16fd",
    "0020_compare_and_promote.sql": "d1a54fbb5bafa2a8",
    "0021_book_tries_as_comparisons.sql": "948dd5ff35f76112",
    "0022_review_rows.sql": "f46089cc84bb9733",
    "0023_ask_rows_together.sql": "c3f462e98d2c194b",
}
"""SHA-256, its first 16 digits, of every migration that ledgers in use may have had."""
USERS = ("kb_migrations", "passages", "passage_concepts")


def checksums(connection: psycopg.Connection) -> list[object]:
    statements = [CHECKSUMS.format(table=table).encode() for table in USERS]
    return [connection.execute(statement).fetchone() for statement in statements]


def test_applying_twice_changes_nothing(empty_database: str) -> None:
    first = apply_migrations(empty_database)

    second = apply_migrations(empty_database)

    assert "0001_create_ledger.sql" in first
    assert second == []


def test_a_database_with_legacy_rows_is_adopted_without_touching_one(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(LEGACY)
        before = checksums(connection)

    apply_migrations(empty_database)

    with psycopg.connect(empty_database) as connection:
        assert before == checksums(connection)


def test_a_changed_migration_that_was_applied_is_refused(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    for path in (SQL_ROOT / "migrations").glob("*.sql"):
        (directory / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(migrations, "SQL_ROOT", tmp_path)
    apply_migrations(empty_database)
    with (directory / "0001_create_ledger.sql").open("a") as file:
        file.write("-- an afterthought\n")

    with pytest.raises(PreflightError, match="applied to this database with other contents"):
        apply_migrations(empty_database)


def test_a_migration_that_fails_leaves_nothing_behind(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    (directory / "0001_half.sql").write_text("create table half (x int); select 1/0;")
    monkeypatch.setattr(migrations, "SQL_ROOT", tmp_path)

    with pytest.raises(psycopg.errors.DivisionByZero):
        apply_migrations(empty_database)

    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)


def test_an_update_reserves_what_jobs_in_flight_were_estimated_at_and_no_lost_tries(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "migrations"
    directory.mkdir()
    for path in (SQL_ROOT / "migrations").glob("00*.sql"):
        if path.name < "0011":
            (directory / path.name).write_bytes(path.read_bytes())
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "SQL_ROOT", tmp_path)
        apply_migrations(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute(IN_FLIGHT)

    apply_migrations(empty_database)

    with psycopg.connect(empty_database) as connection:
        reserved = connection.execute(
            "select slice_id, reserved_usd::float from backfill.slices order by slice_id"
        ).fetchall()
    assert reserved == [("at once", 0.0), ("done", 0.0), ("in flight", 5.0)]


def test_a_released_migration_is_never_edited() -> None:
    files = sorted((SQL_ROOT / "migrations").glob("*.sql"))

    now = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}

    assert now == RELEASED, "put a change into a new migration, and a new one into RELEASED"
