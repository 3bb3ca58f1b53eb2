"""Reading the results: which version wins is data, and asking for one passage is quick."""

import json
import re
import time
from typing import Any
from uuid import UUID

import pytest
from engine_hand import NAME, Engine

from tasks import backfills
from tasks.adapters import views

INDEX = re.compile('"Index Name": "passage_concepts_(pkey|passage_id_idx)"')
PASSAGE = UUID(int=7)


def create_views() -> list[str]:
    return views.create([backfills.get(NAME)])


@pytest.fixture
def readers(engine: Engine) -> Engine:
    engine.sql("drop index if exists passage_concepts_by_passage")
    engine.sql("create index on passage_concepts (passage_id)")
    create_views()
    return engine


def put(engine: Engine, name: str, version: str, confidence: float) -> None:
    engine.sql(
        "insert into passage_concepts"
        " (passage_id, concept_name, extractor_model, extractor_version, confidence)"
        " values (%(passage)s, %(name)s, 'model', %(version)s, %(confidence)s)",
        passage=PASSAGE,
        name=name,
        version=version,
        confidence=confidence,
    )


def best(engine: Engine) -> dict[str, str]:
    rows = engine.sql(
        "select concept_name, extractor_version from backfill.passage_concepts_best"
        " where passage_id = %(passage)s",
        passage=PASSAGE,
    )
    return {row["concept_name"]: row["extractor_version"] for row in rows}


def test_the_preferred_version_wins_and_the_unsure_is_left_out(readers: Engine) -> None:
    put(readers, "entropy", "haiku_v1", 0.99)
    put(readers, "Entropy", "llm_v2", 0.8)
    put(readers, "entropy", "gemini_batch_v1", 0.71)
    put(readers, "heat", "gemini_batch_v1", 0.69)
    put(readers, "heat", "llm_v2", 0.75)
    put(readers, "work", "haiku_v1", 0.5)

    assert best(readers) == {"entropy": "gemini_batch_v1", "heat": "llm_v2"}


def test_the_order_of_preference_is_data(readers: Engine) -> None:
    put(readers, "entropy", "llm_v2", 0.8)
    put(readers, "entropy", "gemini_batch_v1", 0.9)

    readers.sql("update backfill.preferences set rank = 0 where extractor_version = 'llm_v2'")

    assert best(readers) == {"entropy": "llm_v2"}


def test_a_version_without_a_rank_comes_after_all_that_have_one(readers: Engine) -> None:
    put(readers, "entropy", "experiment", 1.0)
    put(readers, "entropy", "haiku_v1", 0.7)
    put(readers, "heat", "experiment", 0.2)

    assert best(readers) == {"entropy": "haiku_v1", "heat": "experiment"}


def test_the_coverage_view_counts_targets_and_rows(readers: Engine) -> None:
    readers.load_samples(4)
    readers.sql("delete from passage_concepts")
    put(readers, "entropy", "llm_v2", 0.8)
    put(readers, "heat", "llm_v2", 0.8)

    rows = readers.sql("select * from backfill.passage_concepts_coverage")

    assert rows == [{"extractor_version": "llm_v2", "targets": 1, "records": 2, "share": 0.25}]


def test_making_the_views_again_changes_nothing(readers: Engine) -> None:
    assert create_views() == []


def test_without_the_users_tables_there_are_no_views_and_no_trouble(engine: Engine) -> None:
    engine.sql("drop table passage_concepts")

    assert create_views() == []


def plan_of_one(engine: Engine) -> tuple[str, float]:
    """Return the plan of a query for one passage, and how long it took in ms."""
    [row] = engine.sql(
        "explain (analyze, format json) select * from backfill.passage_concepts_best"
        " where passage_id = '00000000-0000-0000-0000-000000000007'"
    )
    plan: dict[str, Any] = row["QUERY PLAN"][0]
    return json.dumps(plan), plan["Execution Time"]


def fill(engine: Engine, passages: int) -> None:
    engine.sql(
        "insert into passage_concepts"
        " (passage_id, concept_name, extractor_model, extractor_version, confidence)"
        " select lpad(to_hex(passage), 32, '0')::uuid, 'concept_' || concept, 'm', version, 0.9"
        " from generate_series(1, %(passages)s) as passage, generate_series(1, 4) as concept,"
        " unnest(array['llm_v2', 'gemini_batch_v1']) as version",
        passages=passages,
    )
    engine.sql("analyze passage_concepts")


def test_one_passage_is_found_by_the_index_on_it(readers: Engine) -> None:
    fill(readers, 20_000)

    plan, milliseconds = plan_of_one(readers)

    assert INDEX.search(plan)
    assert milliseconds < 50


@pytest.mark.long
def test_four_million_rows_make_it_no_slower(readers: Engine) -> None:
    fill(readers, 500_000)
    [count] = readers.sql("select count(*) as n from passage_concepts")

    plan, milliseconds = plan_of_one(readers)
    began = time.monotonic()
    [whole] = readers.sql("select count(*) as n from backfill.passage_concepts_best")
    seconds = time.monotonic() - began

    assert count["n"] == 4_000_000
    assert INDEX.search(plan)
    assert milliseconds < 50
    assert whole["n"] == 2_000_000
    print(f"4,000,000 rows: one passage {milliseconds:.2f} ms, all of it {seconds:.1f} s")  # noqa: T201
