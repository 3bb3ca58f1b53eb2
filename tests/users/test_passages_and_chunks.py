"""The world of passages and code chunks: their tables as they are, without a line of mapping."""

from pathlib import Path

import pytest
from engine_hand import Engine, sample_text
from users_hand import checkpoint, false_offsets, site

from tasks.adapters.postgres import connect
from tasks.core.concepts import TYPES

PASSAGES, CHUNKS = 120, 60
JOB = "backfill_passage_concepts_gemini_batch_v1"
EVIDENCE = "passage_concepts join passages using (passage_id)"

WORLD = """
create table passages (
    passage_id uuid primary key, doc_id uuid not null, page_num int, page_char_start int not null,
    page_char_end int not null, section text, passage_text text not null,
    quality_score double precision default 1.0, parser_version text,
    created_at timestamptz default now(), citable boolean
);
create table passage_concepts (
    passage_id uuid not null references passages, concept_name text not null, concept_type text,
    aliases {aliases}, confidence real, extractor_model text not null,
    extractor_version text not null, created_at timestamptz default now(),
    primary key (passage_id, concept_name, extractor_version)
);
alter table passage_concepts add column evidence {evidence};
create index on passage_concepts (concept_name);
create index on passage_concepts (extractor_version);
create table code_chunks (
    chunk_id uuid primary key default gen_random_uuid(), file_id uuid, chunk_type text, name text,
    class_name text, symbol_qualified_name text, start_line int, end_line int,
    content text not null, chunk_hash text, docstring text, signature text, imports text[],
    concepts text[], search_vector tsvector
);
create trigger search before insert or update on code_chunks for each row execute function
    tsvector_update_trigger(search_vector, 'pg_catalog.simple', name, content);
create table chunk_concepts (
    chunk_id text not null, concept_name text not null, concept_type text, aliases jsonb,
    confidence real, extractor_model text not null, extractor_version text not null,
    created_at timestamptz default now(),
    primary key (chunk_id, concept_name, extractor_version)
);
create index on chunk_concepts (confidence) where confidence >= 0.7;
insert into kb_migrations (job_name, status, items_processed)
values ('backfill_passage_concepts_llm_v2', 'completed', 40);
"""
"""As users.md tells it; kb_migrations is there before the ledger comes."""


def build(engine: Engine, aliases: str = "jsonb", evidence: str = "jsonb") -> None:
    """Make the world anew in the engine's database."""
    engine.sql("drop table if exists passage_concepts, passages, chunk_concepts, code_chunks")
    engine.sql(WORLD.format(aliases=aliases, evidence=evidence))
    with connect() as connection:
        connection.cursor().executemany(
            "insert into passages (passage_id, doc_id, page_char_start, page_char_end, section,"
            " passage_text, quality_score) values (gen_random_uuid(), gen_random_uuid(), 0, 1,"
            " %s, %s, %s)",
            [
                (section, sample_text(n), quality)
                for n in range(PASSAGES)
                for section, quality in [("body", 1.0) if n % 10 else ("references", 0.2)]
            ],
        )
        connection.cursor().executemany(
            "insert into code_chunks (name, symbol_qualified_name, content) values (%s, %s, %s)",
            [(f"f{n}", f"pkg.f{n}", f"def f{n}():\n    {sample_text(n)!r}") for n in range(CHUNKS)],
        )
    engine.sql(
        "insert into passage_concepts (passage_id, concept_name, concept_type, confidence,"
        " extractor_model, extractor_version) select passage_id, 'gene_expression', 'domain', 0.75,"
        " 'llm', 'llm_v2' from passages"
    )


@pytest.fixture
def world(engine: Engine) -> Engine:
    build(engine)
    return engine


def legacy(engine: Engine) -> list[dict[str, object]]:
    return engine.sql(
        "select to_jsonb(c) as row from passage_concepts c where extractor_version = 'llm_v2'"
        " order by passage_id"
    )


def test_concepts_stand_beside_the_legacy_rows_with_true_offsets(world: Engine) -> None:
    before = legacy(world)

    said = world.summary()

    assert said.startswith(f"{PASSAGES} targets: {PASSAGES} written")
    assert legacy(world) == before
    assert false_offsets(world, EVIDENCE, "passage_text") == []


def test_names_are_canonical_and_types_are_of_the_users_vocabulary(world: Engine) -> None:
    world.summary()

    rows = world.sql(
        "select concept_name, concept_type from passage_concepts"
        " where extractor_version = 'gemini_batch_v1'"
    )

    assert rows
    assert {row["concept_type"] for row in rows} <= set(TYPES)
    names = {str(row["concept_name"]) for row in rows}
    assert all(name == name.lower() and " " not in name for name in names)
    assert any("_" in name for name in names)


def test_both_versions_of_one_name_merge_into_one_best_row(world: Engine) -> None:
    world.summary()
    world.sql(
        "update passage_concepts set concept_name = 'gene_expression', confidence = 0.9"
        " where ctid in (select distinct on (passage_id) ctid from passage_concepts"
        " where extractor_version = 'gemini_batch_v1' and confidence >= 0.7)"
    )

    best = world.sql(
        "select extractor_version, count(*)::int as n from backfill.passage_concepts_best"
        " where concept_name = 'gene_expression' group by 1"
    )

    ours = {row["extractor_version"]: row["n"] for row in best}
    assert ours["gemini_batch_v1"] + ours.get("llm_v2", 0) == PASSAGES


def test_names_stay_as_written_where_the_site_says_so(
    world: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, tmp_path, '[passage_concepts.options]\nname_style = "as_written"\n')

    world.summary()

    [found] = world.sql(
        "select count(*) filter (where concept_name ~ '[A-Z ]')::int as n from passage_concepts"
        " where extractor_version = 'gemini_batch_v1'"
    )
    assert found["n"] > 0


def test_a_condition_leaves_the_references_out_of_everything(
    world: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(
        monkeypatch,
        tmp_path,
        "[passage_concepts.source]\nwhere = \"section <> 'references' and quality_score >= 0.5\"\n",
    )

    said = world.summary()

    assert said.startswith("108 targets: 108 written")
    assert checkpoint(world, JOB)["status"] == "completed"
    assert world.summary() == "Nothing to do."


@pytest.mark.parametrize("aliases", ["jsonb", "text[]", "text"])
@pytest.mark.parametrize("evidence", ["jsonb", "json"])
def test_aliases_and_evidence_may_have_any_of_the_users_types(
    engine: Engine, aliases: str, evidence: str
) -> None:
    build(engine, aliases, evidence)

    engine.summary(limit=20)

    [row] = engine.sql(
        "select pg_typeof(aliases)::text as a, pg_typeof(evidence)::text as e,"
        " to_jsonb(evidence) ? 'support' as ok from passage_concepts"
        " where extractor_version = 'gemini_batch_v1' limit 1"
    )
    assert row == {"a": aliases, "e": evidence, "ok": True}
    assert false_offsets(engine, EVIDENCE, "passage_text") == []


def test_the_checkpoint_is_the_users_own_row_with_all_its_columns(world: Engine) -> None:
    world.summary(kind="pilot", limit=20)
    pilot = checkpoint(world, JOB)
    world.summary()
    full = checkpoint(world, JOB)

    assert (pilot["status"], pilot["items_processed"]) == ("stopped", 20)
    assert (full["status"], full["items_processed"]) == ("completed", PASSAGES)
    assert (full["cursor_type"], full["items_failed"]) == ("passage_id", 0)
    assert full["started_at"] == pilot["started_at"] < full["finished_at"]
    assert "20 targets: 20 written" in pilot["notes"]
    assert checkpoint(world, "backfill_passage_concepts_llm_v2")["items_processed"] == 40


def test_bad_answers_are_counted_as_failed_items(world: Engine) -> None:
    world.fault("not_json")

    world.summary(limit=10)

    row = checkpoint(world, JOB)
    assert (row["items_processed"], row["items_failed"]) == (0, 10)


def test_the_users_own_two_statements_undo_what_we_wrote(world: Engine) -> None:
    before = legacy(world)
    world.summary()

    world.sql("delete from passage_concepts where extractor_version = 'gemini_batch_v1'")
    world.sql("delete from kb_migrations where job_name like '%gemini_batch_v1%'")

    assert world.rows() == []
    assert legacy(world) == before
    jobs = world.sql("select job_name from kb_migrations")
    assert jobs == [{"job_name": "backfill_passage_concepts_llm_v2"}]


def test_chunks_are_answered_although_ids_differ_in_type_and_there_is_no_evidence(
    world: Engine,
) -> None:
    said = world.summary(name="chunk_concepts")

    assert said.startswith(f"{CHUNKS} targets: {CHUNKS} written")
    [rows] = world.sql(
        "select count(distinct code_chunks.chunk_id)::int as n,"
        " bool_and(extractor_model > '') as ok from chunk_concepts join code_chunks"
        " on code_chunks.chunk_id::text = chunk_concepts.chunk_id"
    )
    assert rows == {"n": CHUNKS, "ok": True}
    assert checkpoint(world, "backfill_chunk_concepts_gemini_batch_v1")["cursor_type"] == "chunk_id"
    assert world.summary(name="chunk_concepts") == "Nothing to do."


def test_the_search_vector_that_a_trigger_fills_is_left_alone(world: Engine) -> None:
    looked_at = "select chunk_id, search_vector::text as vector from code_chunks order by 1"
    before = world.sql(looked_at)

    world.summary(name="chunk_concepts")

    assert world.sql(looked_at) == before
