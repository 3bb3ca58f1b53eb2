"""Kill -9 in the middle of each backfill, run again: the rows of an undisturbed run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_hand import Engine
from run_and_be_killed import run_and_kill
from songs_hand import sample, write_csv

from deployments.local.sample_code import chunks
from deployments.local.sample_jobs import jobs
from tasks.adapters.postgres import connect, statements
from tasks.adapters.settings import settings

ROWS = {
    "chunk_concepts": "select to_jsonb(t) - 'created_at' as row from chunk_concepts t order by 1",
    "songs": "select to_jsonb(t) - 'created_at' as row from backfill.csv_answers t order by 1",
    "job_enrichment": "select to_jsonb(t) as row from jobs_enriched t order by 1",
}
SUBMITTED = "select 1 from backfill.slices where state in ('reserved', 'submitted')"
HALFWAY = "select 1 from backfill.generations where state = 'written' offset 5"


def _code(engine: Engine, _: Path) -> dict[str, Any]:
    sql = statements("demo/code_chunks.sql")
    with connect() as connection:
        connection.execute(sql["create_tables"])
        connection.cursor().executemany(sql["insert_target"], chunks(30))
    engine.sql("delete from chunk_concepts")
    return {"name": "chunk_concepts", "slice_size": 10}


def _songs(engine: Engine, place: Path) -> dict[str, Any]:
    engine.sql("truncate backfill.csv_files, backfill.csv_rows, backfill.csv_answers")
    path = write_csv(place / "songs.csv", sample(150))
    return {"name": "songs", "csv_in": str(path), "csv_out": str(place / "out.csv")}


def _adverts(engine: Engine, transport: str) -> dict[str, Any]:
    engine.sql("drop table if exists jobs_enriched")
    sql = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(sql["create_tables"])
        connection.cursor().executemany(sql["insert_target"], jobs(30, 20))
    return {"name": "job_enrichment", "transport": transport}


CASES = [
    pytest.param(_code, SUBMITTED, id="code chunks", marks=pytest.mark.long),
    pytest.param(_songs, SUBMITTED, id="songs"),
    pytest.param(
        lambda engine, _: _adverts(engine, "batch"),
        SUBMITTED,
        id="adverts in batches",
        marks=pytest.mark.long,
    ),
    pytest.param(
        lambda engine, _: _adverts(engine, "interactive"), HALFWAY, id="adverts one by one"
    ),
]


@pytest.mark.parametrize(("prepare", "moment"), CASES)
def test_a_killed_run_goes_on_to_the_rows_of_an_undisturbed_one(
    engine: Engine, tmp_path: Path, prepare: Callable[[Engine, Path], dict[str, Any]], moment: str
) -> None:
    options = prepare(engine, tmp_path)
    engine.summary(**options)
    expected = engine.sql(ROWS[options["name"]])
    _forget(engine)
    prepare(engine, tmp_path)

    run_and_kill(engine, options, moment)
    engine.set(run_seconds=0.0)
    engine.summary(**options)

    assert engine.ends()["planned"] == 0
    if options.get("transport") == "interactive":
        _compare_vectors(engine, expected)
        return
    assert engine.sql(ROWS[options["name"]]) == expected
    # An advert's key is in two jobs, one for each question; in no case in a third.
    questions = 2 if options["name"] == "job_enrichment" else 1
    assert engine.http.get("/keys", params={"min": questions + 1}).json()["keys"] == {}


def _compare_vectors(engine: Engine, expected: list[dict[str, Any]]) -> None:
    """Assert equal rows but for the wording of what was in flight, which is asked once more."""
    rows = [row["row"] for row in engine.sql(ROWS["job_enrichment"])]
    wanted = {row["row"]["id"]: row["row"] for row in expected}
    assert len(rows) == len(wanted)
    reworded = 0
    for row in rows:
        before = wanted[row["id"]]
        assert row["embedding"] == before["embedding"]
        assert bool(row["summary"]) == bool(before["summary"])
        reworded += row != before
    assert reworded <= settings().interactive_at_once


def _forget(engine: Engine) -> None:
    engine.sql(
        "truncate backfill.generations, backfill.slices, backfill.runs,"
        " backfill.answer_blocks, backfill.projections, backfill.restores cascade"
    )
    engine.asked_lately()
    engine.http.post("/reset").raise_for_status()
    engine.set(run_seconds=0.4, trouble=0.0)
