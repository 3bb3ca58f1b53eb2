"""Code chunks: the same engine over a table whose ids are uuids, into one where they are texts."""

import re

import pytest
from engine_hand import Engine, Json

from deployments.local.sample_code import chunks
from tasks.adapters.postgres import connect, statements

NAME = "chunk_concepts"
SQL = statements("demo/code_chunks.sql")
CANONICAL = re.compile(r"\w+")


@pytest.fixture
def code(engine: Engine) -> Engine:
    """Return the engine over forty functions, some with rows of an older extractor."""
    with connect() as connection:
        connection.execute(SQL["create_tables"])
        connection.cursor().executemany(SQL["insert_target"], chunks(40))
        connection.execute(SQL["plant_legacy_rows"], {})
    return engine


def _foreign(engine: Engine) -> str:
    return str(engine.sql(SQL["foreign_checksum"])[0]["checksum"])


def _rows(engine: Engine) -> list[Json]:
    return engine.sql(
        "select to_jsonb(chunk_concepts) - 'created_at' as row from chunk_concepts"
        " where extractor_version = 'gemini_batch_v1' order by 1"
    )


def test_every_chunk_gets_concepts_of_canonical_names_beside_the_older_rows(code: Engine) -> None:
    before = _foreign(code)

    said = code.summary(name=NAME, slice_size=15)

    assert said.startswith("40 targets: 40 written")
    rows = [row["row"] for row in _rows(code)]
    ids = code.sql("select chunk_id::text as id from code_chunks")
    assert {row["chunk_id"] for row in rows} == {row["id"] for row in ids}
    assert all(CANONICAL.fullmatch(row["concept_name"]) for row in rows)
    assert not any("evidence" in row for row in rows)
    assert _foreign(code) == before
    assert code.calls("batches.create") == 3


def test_a_second_run_of_the_same_chunks_asks_nothing(code: Engine) -> None:
    code.summary(name=NAME)
    first = _rows(code)

    said = code.summary(name=NAME)

    assert said == "Nothing to do."
    assert _rows(code) == first
    assert code.calls("batches.create") == 1


def test_chunks_without_text_are_skipped_and_changed_ones_asked_again(code: Engine) -> None:
    code.sql("insert into code_chunks (content) values ('  '), ('')")
    code.summary(name=NAME)
    changed = code.sql(
        "update code_chunks set content = content || ' pass' where name like '%init%' returning 1"
    )

    said = code.summary(name=NAME)

    assert said.startswith(f"{len(changed)} targets: {len(changed)} written")
    assert code.ends()["skipped: empty_text"] == 2


def test_two_backfills_of_the_same_version_name_keep_their_ledgers_apart(code: Engine) -> None:
    code.load_samples(5)

    passages = code.summary()
    functions = code.summary(name=NAME)

    assert passages.startswith("5 targets: 5 written")
    assert functions.startswith("40 targets: 40 written")
    jobs = code.sql("select job_name, status from kb_migrations order by 1")
    assert jobs == [
        {"job_name": "backfill_chunk_concepts_gemini_batch_v1", "status": "completed"},
        {"job_name": "backfill_passage_concepts_gemini_batch_v1", "status": "completed"},
    ]
