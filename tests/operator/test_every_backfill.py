"""What an operator gets of one backfill he gets of every one, also of one that a user added."""

import asyncio
import csv
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from engine_hand import Engine, Json
from prefect.client.schemas.objects import State
from worlds_hand import ROWS, WORLDS, World, build

import tasks.planning.csv_in_out
import tasks.undo.restore
import tasks.undo.rollback
from flows.rollback import rollback
from tasks.adapters import measures, status
from tasks.adapters.exports import Format
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError
from tasks.reports.audit import Audit, look, write
from tasks.reports.export import write as export

SIX_HOURS = timedelta(hours=6)

export_csv = tasks.planning.csv_in_out.export_csv.directly
restore_version = tasks.undo.restore.restore_version.directly


@pytest.fixture(params=WORLDS)
def world(
    request: pytest.FixtureRequest,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Return each world, before anything was run in it."""
    return build(request.param, engine, tmp_path, monkeypatch)


def report(world: World, ending: str) -> str:
    [path] = settings().reports_dir.glob(f"*-{world.name}-full{ending}")
    return path.read_text(encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [*csv.DictReader(file)]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def undo(world: World, **options: Any) -> State[Any]:
    return asyncio.run(rollback.fn(**{"name": world.name, "dry_run": False, **options}))


def test_an_operator_gets_all_of_it_whichever_backfill_it_is(world: World, tmp_path: Path) -> None:
    others, before = world.others(), world.standing()

    said = world.run()

    the_report_has_its_measurements_and_gates(world, said)
    the_picture_is_one_and_shows_rows_per_target_and_vocabularies(world)
    the_sample_page_has_twenty_rows_with_their_ids_and_what_was_found(world)
    for form in get_args(Format):
        every_row_is_exported(world, tmp_path, form)
    the_best_of_all_versions_is_there_where_there_are_versions(world, tmp_path)
    status_counts_every_target(world)
    every_row_is_verified(world)
    the_checkpoint_has_the_users_own_words(world)
    the_audit_finds_no_fault_where_there_is_none(world)
    a_rollback_takes_our_rows_and_no_other_and_is_taken_back_for_nothing(world, others, before)


def the_report_has_its_measurements_and_gates(world: World, said: str) -> None:
    shown = report(world, ".md")
    assert said.startswith(f"{ROWS} targets: {ROWS} written")
    # A quote that runs from the title into the body belongs to no column: it is no evidence.
    assert ("## Gates: passed" in shown) == (world.name != "reviews")
    assert "| rows per target |" in shown
    assert "| targets without rows | 0 |" in shown
    assert f"| written | {ROWS} |" in shown
    for gate in world.backfill.gates:
        assert f"| {gate.title} |" in shown


def the_picture_is_one_and_shows_rows_per_target_and_vocabularies(world: World) -> None:
    shown = " ".join(ET.fromstring(report(world, "-charts.svg")).itertext())  # noqa: S314 - our own
    assert "Rows per target" in shown
    vocabulary = {"job_enrichment": "Seniority", "songs": "Accessibility"}
    assert vocabulary.get(world.name, "Concept type") in shown


def the_sample_page_has_twenty_rows_with_their_ids_and_what_was_found(world: World) -> None:
    page = report(world, "-sample.md")
    known = {
        row["target_id"] for row in world.engine.sql("select target_id from backfill.generations")
    }
    titles = re.findall(r"^### \d+\. (.+)(?:\n\nRow (.+))?$", page.replace("\\", ""), re.MULTILINE)
    assert len(titles) == len({row or title for title, row in titles} & known) == 20
    assert len(re.findall(r"^\* ", page, re.MULTILINE)) >= 20
    has_evidence = world.name in ("passage_concepts", "reviews")
    assert (page.count("**") >= 20) == has_evidence
    assert ("no evidence" in page) <= has_evidence


def every_row_is_exported(world: World, tmp_path: Path, form: Format) -> None:
    count, file = export(world.name, form, str(tmp_path / f"e.{form}"), None, best=False)

    rows = read(file)
    assert count == len(rows) == world.ours() >= ROWS
    first = rows[0]
    if not world.is_in_place:
        assert {row["extractor_version"] for row in rows} == {world.backfill.extractor_version}
    filled = {"job_enrichment": "summary", "songs": "reasoning", "reviews": "Concept"}
    assert all(row[filled.get(world.name, "concept_name")] for row in rows)
    assert not any(name.startswith("_") for name in first)


def the_best_of_all_versions_is_there_where_there_are_versions(
    world: World, tmp_path: Path
) -> None:
    file = str(tmp_path / "best.jsonl")

    if not world.adds_rows:
        with pytest.raises(PreflightError, match="there is no better one to choose"):
            export(world.name, "jsonl", file, None, best=True)
        return
    count, path = export(world.name, "jsonl", file, None, best=True)

    assert count == len(read(path)) >= ROWS
    view = f"select * from backfill.{world.name}_coverage where extractor_version = %(version)s"
    [covered] = world.engine.sql(view, version=world.backfill.extractor_version)
    assert (covered["targets"], covered["share"]) == (ROWS, 1.0)


def a_rollback_takes_our_rows_and_no_other_and_is_taken_back_for_nothing(
    world: World, others: list[Json], before: list[Json]
) -> None:
    ours = world.ours()
    counted = undo(world, dry_run=True)
    state = undo(world, step=7)

    assert f"{ours:,} rows of " in str(counted.message)
    assert (state.name, world.ours(), world.others()) == ("RolledBack", 0, others)
    assert world.standing() == before
    lacking = verified(world)
    assert not [each for each in lacking if each["is_good"]]
    assert sum(each["targets"] for each in lacking) == ROWS
    assert world.engine.generations() == []
    assert world.checkpoint()["items_processed"] == 0
    bill = world.engine.http.get("/bill").json()
    taken_back = restore_version(world.name, None, dry_run=False)
    assert f"{ROWS} targets of" in str(taken_back.message)
    assert (world.ours(), world.others()) == (ours, others)
    assert world.run() == "Nothing to do."
    assert world.engine.http.get("/bill").json() == bill


def test_a_csv_goes_out_without_what_was_taken_back(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build("songs", engine, tmp_path, monkeypatch)
    world.run()
    full = read(world.csv_out)
    undo(world)

    export_csv("songs", str(world.csv), str(world.csv_out))

    rows = read(world.csv_out)
    assert all(row["ai_status"] for row in full)
    assert not any(row["ai_status"] for row in rows)
    assert [row["title"] for row in rows] == [row["title"] for row in full]


def status_counts_every_target(world: World) -> None:
    [each] = status.read().backfills

    assert (each.backfill, each.written, each.targets) == (world.name, ROWS, ROWS)
    assert each.extractor_version == world.backfill.extractor_version


def verified(world: World) -> list[Json]:
    with connect() as connection:
        return measures.verify(connection, world.backfill)


def every_row_is_verified(world: World) -> None:
    [found] = verified(world)

    assert (found["is_good"], found["targets"]) == (True, ROWS)


def the_checkpoint_has_the_users_own_words(world: World) -> None:
    row = world.checkpoint()

    cursor = {
        "passage_concepts": "passage_id",
        "chunk_concepts": "chunk_id",
        "job_enrichment": "id",
        "songs": "target_id",
        "reviews": "reviewId",
    }
    table = {"job_enrichment": "jobs_enriched", "reviews": "kb.reviewConcepts"}
    named = table.get(world.name, world.name)
    assert row["job_name"] == f"backfill_{named}_{world.backfill.extractor_version}"
    assert row["cursor_type"] == cursor[world.name]
    status = "failed" if world.name == "reviews" else "completed"  # as its gates are
    assert (row["status"], row["items_processed"], row["items_failed"]) == (status, ROWS, 0)
    assert row["started_at"] <= row["finished_at"] <= row["updated_at"]
    assert row["notes"].startswith(f"{ROWS} targets: {ROWS} written")


def the_audit_finds_no_fault_where_there_is_none(world: World) -> None:
    audit = look("3.9.1", SIX_HOURS)

    [each] = [each for each in audit.inspected if each.backfill.name == world.name]
    assert each.coverage
    assert (each.coverage.targets, each.coverage.with_rows) == (ROWS, ROWS)
    assert claims(audit) == {world.backfill.checkpoint: ()}
    assert f"| {world.backfill.checkpoint} | {world.checkpoint()['status']} |" in write(audit)
    lacking = [
        'create index concurrently on kb."reviewConcepts" (extractor_version);',
        'create index concurrently on kb."reviewConcepts" ("reviewId", extractor_version);',
    ]
    remedies = [advice.remedy for advice in each.advice]
    assert remedies == (lacking if world.name == "reviews" else [])
    assert audit.estimates[world.name].targets == 0


def test_the_audit_looks_at_all_of_them_though_one_cannot_be_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [build(name, engine, tmp_path, monkeypatch) for name in WORLDS]
    for each in worlds:
        each.run()
    engine.sql('alter table kb."Reviews" rename column "Body" to "body"')

    audit = look("3.9.1", SIX_HOURS)

    [finding] = [finding for finding in audit.findings if "reviews" in finding]
    assert finding == (
        "reviews cannot be looked at: Reviews has no column Body; it has body: set source.text in"
        " [reviews]."
    )
    assert [each.backfill.name for each in audit.inspected] == sorted(set(WORLDS) - {"reviews"})
    assert write(audit)


def claims(audit: Audit) -> dict[str, tuple[str, ...]]:
    return {judged.checkpoint.job_name: judged.sentences for judged in audit.checkpoints}
