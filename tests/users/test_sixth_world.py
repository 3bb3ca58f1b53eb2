"""A world that nobody had in mind: odd names, a composed text, answers in place."""

from pathlib import Path

import pytest
from engine_hand import Engine
from users_hand import checkpoint, site

TABLES = """
create schema kb;
create table kb."Reviews" (
    "reviewId" bigint primary key,
    "Title" text,
    "Stars 1-5" numeric(2, 1),
    tags text[],
    "written at" timestamptz,
    "shortText" text generated always as (left("Title", 10)) stored,
    skills text[] not null default '{}',
    seniority varchar(20),
    "Summary" text,
    embedding double precision[],
    untouched text default 'as it was'
);
insert into kb."Reviews" ("reviewId", "Title", "Stars 1-5", tags, "written at")
select
    9000000000 + n, 'Review 100% no. ' || n, 4.5, array['boots', 'red'],
    timestamptz '2026-01-01 12:00+02' + n * interval '1 day'
from generate_series(1, 40) as n;
insert into kb."Reviews" ("reviewId") values (1);
"""

SITE = '''
[reviews]
of = "job_enrichment"
extractor_version = "reviews_v1"

[reviews.source]
table = 'kb."Reviews"'
id = "reviewId"
text = "{Title} ({Stars 1-5} of 5, 100%): {tags} {written at}"
where = """"Stars 1-5" > 1 or "Title" is null or "Title" like '%none%'"""
name = "no. {reviewId}"

[reviews.target]
columns = ["skills", "seniority", "embedding"]
done_when = "embedding is not null"
'''


@pytest.fixture
def world(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return the engine over a schema `kb` with reviews of odd names."""
    engine.sql(TABLES)
    site(monkeypatch, tmp_path, SITE)
    return engine


def test_answers_are_filled_in_into_three_columns_of_odd_rows(world: Engine) -> None:
    said = world.summary(name="reviews", transport="batch")

    assert said.startswith("40 targets: 40 written, 0 empty, 0 bad, 0 skipped")
    assert world.ends()["skipped: empty_text"] == 1
    rows = world.sql('select * from kb."Reviews" where "Title" is not null')
    assert all(row["skills"] and row["seniority"] and len(row["embedding"]) == 768 for row in rows)
    assert {row["untouched"] for row in rows} == {"as it was"}
    assert {row["Summary"] for row in rows} == {None}


def test_the_question_is_the_template_over_the_columns_whatever_the_session_says(
    world: Engine,
) -> None:
    world.alter_database("set timezone = 'Asia/Tokyo'")
    world.summary(name="reviews", transport="batch")

    world.alter_database("set timezone = 'UTC'")
    again = world.summary(name="reviews", transport="batch")

    assert again == "Nothing to do."
    [asked] = world.sql(
        "select content_hash = backfill.content_hash("
        "'Review 100% no. 1 (4.5 of 5, 100%): boots, red 2026-01-02 10:00:00+00') as same"
        " from backfill.generations where target_id = '9000000001'"
    )
    assert asked == {"same": True}


def test_its_checkpoint_status_and_second_run_are_as_everywhere(world: Engine) -> None:
    world.summary(name="reviews", transport="batch")

    row = checkpoint(world, "backfill_kb.Reviews_reviews_v1")

    assert (row["status"], row["cursor_type"], row["items_processed"]) == (
        "completed",
        "reviewId",
        40,
    )
    assert world.summary(name="reviews") == "Nothing to do."
