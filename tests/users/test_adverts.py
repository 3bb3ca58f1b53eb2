"""The world of job adverts: an id of text, skills as an array, vectors written as text."""

import json
import threading
from random import Random
from typing import Any

import pytest
from engine_hand import Engine
from users_hand import checkpoint

import tasks.planning.dry_run
from tasks.adapters.postgres import connect

TABLE = """
create table jobs_enriched (
    id text primary key, company text, position text, location text, url text, tags text[],
    skills text[], seniority text, summary text, description text, embedding text,
    created_at timestamp default now()
)
"""
COUNTING = json.dumps([round(0.414 + place / 1000, 3) for place in range(384)])
TINY = json.dumps([round(place * 1e-6, 6) for place in range(768)])
REAL = json.dumps([Random(7 * place).gauss(0, 0.03) for place in range(768)])


def insert(connection: Any, first: int, last: int, embedding: str | None) -> None:
    connection.cursor().executemany(
        "insert into jobs_enriched (id, company, position, tags, description, embedding)"
        " values (%s, %s, %s, %s, %s, %s)",
        [
            (
                f"job/{n}",
                f"Company {n % 7}",
                f"Engineer {n}",
                ["remote"],
                f"Advert {n}: we look for a senior engineer who knows Postgres and Python well.",
                embedding,
            )
            for n in range(first, last)
        ],
    )


@pytest.fixture
def world(engine: Engine) -> Engine:
    """Return the engine over 117 adverts, 116 of them with one of the field's placeholders."""
    engine.sql(TABLE)
    with connect() as connection:
        insert(connection, 0, 58, COUNTING)
        insert(connection, 58, 116, TINY)
        insert(connection, 116, 117, REAL)
    return engine


def others(engine: Engine) -> list[dict[str, Any]]:
    return engine.sql(
        "select to_jsonb(j) - array['skills', 'seniority', 'summary', 'embedding'] as row"
        " from jobs_enriched j order by id"
    )


def test_only_placeholders_are_asked_and_only_our_columns_are_filled(world: Engine) -> None:
    before = others(world)

    said = world.summary(name="job_enrichment", transport="batch")

    assert said.startswith("116 targets: 116 written")
    assert others(world) == before
    [found] = world.sql(
        "select count(*) filter (where jsonb_array_length(embedding::jsonb) = 768)::int as vectors,"
        " count(*) filter (where cardinality(skills) > 0)::int as skilled,"
        " count(*) filter (where summary > '')::int as told from jobs_enriched"
    )
    assert found == {"vectors": 117, "skilled": 116, "told": 116}
    assert world.sql("select embedding from jobs_enriched where id = 'job/116'") == [
        {"embedding": REAL}
    ]
    job = checkpoint(world, "backfill_jobs_enriched_gemini_enrichment_v1")
    assert (job["status"], job["cursor_type"]) == ("completed", "id")


def test_rows_that_a_consumer_inserts_meanwhile_are_found_by_the_next_run(world: Engine) -> None:
    def insert_more() -> None:
        with connect() as connection:
            insert(connection, 200, 210, COUNTING)

    world.at_event("job_created", insert_more)

    first = world.summary(name="job_enrichment", transport="batch")
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(timeout=2)
    second = world.summary(name="job_enrichment", transport="batch")

    assert first.startswith("116 targets: 116 written")
    assert second.startswith("10 targets: 10 written")
    assert world.summary(name="job_enrichment") == "Nothing to do."


def test_adverts_asked_one_by_one_are_filled_in_alike(world: Engine) -> None:
    world.sql("delete from jobs_enriched where id not in ('job/0', 'job/60', 'job/116')")

    said = world.summary(name="job_enrichment")

    assert said.startswith("2 targets: 2 written")


def test_the_dry_run_lists_adverts_by_position_and_company(
    world: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []

    async def shown(**said: str) -> None:
        pages.append(said["markdown"])

    monkeypatch.setattr(tasks.planning.dry_run, "acreate_markdown_artifact", shown)

    state = world.run(name="job_enrichment", dry_run=True)

    assert "116 targets would be asked" in str(state.message)
    assert "Engineer 0 at Company 0" in pages[0]
    assert world.generations() == []
