"""One world for each kind of backfill: rows to ask about, and where their answers go."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from engine_hand import Engine, Json, forget_settings, sample_text

from deployments.local.sample_code import chunks
from deployments.local.sample_jobs import jobs
from deployments.local.sample_songs import HEADER, songs
from tasks import backfills
from tasks.adapters import exports, tables
from tasks.adapters.postgres import connect, statements
from tasks.core.backfill import Backfill
from tasks.core.places import InPlace, NewRows

ROWS = 24
REVIEWS = """
create schema kb;
create table kb."Reviews" ("reviewId" bigint primary key, "Title" text, "Body" text);
create table kb."reviewConcepts" (
    "reviewId" bigint not null references kb."Reviews",
    "Concept" text not null,
    concept_type text,
    aliases text[],
    confidence double precision,
    evidence json,
    extractor_model varchar(80),
    extractor_version varchar(80) not null,
    created_at timestamptz default now()
);
"""
SITE = """
[reviews]
of = "passage_concepts"
title = "Concepts of reviews"
extractor_version = "reviews_v1"

[reviews.source]
table = 'kb."Reviews"'
id = "reviewId"
text = "{Title}: {Body}"
name = "{Title}"

[reviews.target]
table = 'kb."reviewConcepts"'
id = "reviewId"
columns = { concept_name = "Concept" }
"""


@dataclass(frozen=True)
class World:
    """A backfill with `ROWS` rows to ask about."""

    name: str
    engine: Engine
    csv: Path | None = None

    @cached_property
    def backfill(self) -> Backfill:
        return backfills.get(self.name)

    @property
    def adds_rows(self) -> bool:
        return isinstance(self.backfill.target, NewRows)

    @property
    def is_in_place(self) -> bool:
        return isinstance(self.backfill.target, InPlace)

    @property
    def csv_out(self) -> Path:
        assert self.csv
        return self.csv.with_name("out.csv")

    def run(self, **options: object) -> str:
        files = {"csv_in": str(self.csv), "csv_out": str(self.csv_out)} if self.csv else {}
        return self.engine.summary(name=self.name, **{"transport": "batch", **files, **options})

    def ours(self) -> int:
        """Return how many rows there are of our version; in place, how many are filled in."""
        with connect() as connection:
            here = tables.of(connection, self.backfill)
            return len(connection.execute(exports.everything(here), here.values()).fetchall())

    def standing(self) -> list[Json]:
        """Return every row that is asked about, with all of its columns, of a table."""
        if not self.is_in_place:
            return []
        return self.engine.sql("select * from jobs_enriched order by id")

    def others(self) -> list[Json]:
        """Return every row of the target's table that is not of our version."""
        if not self.adds_rows:
            return []
        with connect() as connection:
            here = tables.of(connection, self.backfill)
        place = here.target.identifier.as_string()
        return self.engine.sql(
            f"select to_jsonb(t) as row from {place} as t"
            " where extractor_version <> %(version)s order by 1",
            version=self.backfill.extractor_version,
        )

    def checkpoint(self) -> Json:
        [row] = self.engine.sql(
            "select * from kb_migrations where job_name = %(job)s", job=self.backfill.checkpoint
        )
        return row


def _passages(engine: Engine, _: Path) -> World:
    engine.load_samples(ROWS)
    return World("passage_concepts", engine)


def _code(engine: Engine, _: Path) -> World:
    statement = statements("demo/code_chunks.sql")
    with connect() as connection:
        connection.execute(statement["create_tables"])
        connection.cursor().executemany(statement["insert_target"], chunks(ROWS))
        connection.execute(statement["plant_legacy_rows"], {})
    return World("chunk_concepts", engine)


def _adverts(engine: Engine, _: Path) -> World:
    statement = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(statement["create_tables"])
        connection.cursor().executemany(statement["insert_target"], jobs(ROWS, ROWS))
    return World("job_enrichment", engine)


def _songs(engine: Engine, place: Path) -> World:
    path = place / "songs.csv"
    rows = {row[:2]: row for row in songs(2 * ROWS)}
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *list(rows.values())[:ROWS]])
    return World("songs", engine, path)


def _reviews(engine: Engine, _: Path) -> World:
    engine.sql(REVIEWS)
    for number in range(ROWS):
        engine.sql(
            'insert into kb."Reviews" values (%(id)s, %(title)s, %(body)s)',
            id=9_000_000_000 + number * 7 if number else 95,
            title=f"Review 100% no. {number}",
            body=sample_text(number),
        )
    engine.sql(
        'insert into kb."reviewConcepts" ("reviewId", "Concept", confidence, extractor_version)'
        " values (95, 'choir', 0.9, 'llm_v2'), (95, 'voice', 0.9, 'llm_v2')"
    )
    return World("reviews", engine)


WORLDS: dict[str, Callable[[Engine, Path], World]] = {
    "passage_concepts": _passages,
    "chunk_concepts": _code,
    "job_enrichment": _adverts,
    "songs": _songs,
    "reviews": _reviews,
}


def build(name: str, engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world; every one of them has the site file with `reviews` in it."""
    file = place / "backfills.toml"
    file.write_text(SITE, encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    forget_settings()
    return WORLDS[name](engine, place)
