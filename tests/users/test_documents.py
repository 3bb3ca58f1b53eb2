"""A user's tree of experiments goes into the index as it is, of either era, without a setting."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from documents_world import SOURCES, World, build

from tasks.documents import planning, reporting, slices
from tasks.documents.adapters.place import Place
from tasks.documents.core.reports import Summary

COMBINATIONS = 120
COLUMNS = [
    "source_csv",
    "reason",
    "row_index",
    "task_id",
    "combo_id",
    "template_id",
    "model_id",
    "response_file",
    "timestamp",
]


def run(world: World, run_id: str = "main") -> Summary:
    """Do what the flow does, in its order."""
    place = Place.of(world.data, run_id)
    planning.check.fn(place)
    for piece in planning.plan_slices(place, 100):
        slices.import_rows(place, piece)
    return reporting.finish(place, verify=True)


def asked(world: World, sql: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(world.data / "db/documents.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


@pytest.fixture(scope="module", params=["older", "newer"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a tree of one era, imported once."""
    data = tmp_path_factory.mktemp(request.param) / "data"
    world = build(data, COMBINATIONS, older=request.param == "older")
    run(world)
    return world


def ended(world: World) -> Iterator[tuple[tuple[str, str], str]]:
    for row in asked(world, "select source_csv, task_id, state from current_generations"):
        yield (row["source_csv"], row["task_id"]), row["state"]


def test_every_row_has_the_end_that_its_file_and_cells_give_it(world: World) -> None:
    states = list(ended(world))

    assert len(states) == world.rows > 400
    assert dict(states) == {
        **dict.fromkeys(world.parents, "written"),
        **dict.fromkeys(world.reasons, "bad"),
    }


def test_every_document_comes_from_what_it_was_made_from(world: World) -> None:
    found = asked(
        world,
        "select documents.source_csv, documents.task_id, lineage.parent_task_id"
        " from documents_lineage as lineage inner join documents using (doc_id)",
    )

    assert {(r["source_csv"], r["task_id"]): r["parent_task_id"] for r in found} == world.parents


def test_every_response_is_kept_byte_for_byte(world: World) -> None:
    found = asked(world, "select source_csv, task_id, doc_dir from documents")

    for row in found:
        raw = world.data / "docs" / row["doc_dir"] / "raw.txt"
        assert raw.read_text() == world.texts[row["source_csv"], row["task_id"]]
    assert asked(world, "select * from documents_consistency_report where stage <> 'draft'") == []


def test_a_time_without_a_zone_is_utc(world: World) -> None:
    (row,) = asked(
        world,
        "select generated_at from documents"
        " where task_id = 'combo_v1_000000000000__draft__gemini_25_pro'",
    )

    assert row["generated_at"] == "2025-08-14T09:00:00.123456+00:00"


def test_models_templates_and_combinations_are_those_of_the_rows(world: World) -> None:
    found = asked(world, "select distinct stage, model_id from documents order by stage, model_id")

    assert [(row["stage"], row["model_id"]) for row in found] == [
        ("draft", "deepseek_r1_p"),
        ("draft", "gemini_25_pro"),
        ("essay", "deepseek_r1_p"),
        ("essay", "gemini_25_pro"),
        ("evaluation", "sonnet-4"),
    ]
    wrong = "template_id = '' or combo_id not like 'combo_v1_%'"
    assert asked(world, f"select * from documents where {wrong}") == []


def test_the_bad_list_lies_beside_the_results_with_the_columns_that_people_know(
    world: World,
) -> None:
    path = world.data / "7_cross_experiment/bad_generations.csv"
    with path.open(newline="", encoding="utf-8") as file:
        header, *records = csv.reader(file)

    assert header[: len(COLUMNS)] == COLUMNS
    found = {(record[0], record[3]): record[1] for record in records}
    assert found == world.reasons
    for record in records:
        assert record[0] in SOURCES.values()
        assert record[8].startswith("2025-08-") or record[1] == "malformed_row"


def test_a_second_run_adds_nothing(world: World) -> None:
    documents = asked(world, "select * from documents order by doc_id")
    files = sorted(path for path in world.data.rglob("*") if "docs" in path.parts)
    bad = (world.data / "7_cross_experiment/bad_generations.csv").read_bytes()

    summary = run(world)

    assert asked(world, "select * from documents order by doc_id") == documents
    assert sorted(path for path in world.data.rglob("*") if "docs" in path.parts) == files
    assert (world.data / "7_cross_experiment/bad_generations.csv").read_bytes() == bad
    assert summary.message.startswith(
        f"Run main: of {world.rows} CSV rows {len(world.parents)} have their document, "
    )


def test_a_tree_that_was_moved_to_the_newer_folders_keeps_its_documents(tmp_path: Path) -> None:
    world = build(tmp_path / "data", 16, older=True)
    run(world)
    documents = asked(world, "select * from documents order by doc_id")
    newer = world.data / "4_evaluation"
    newer.mkdir()
    (world.data / "3_generation/evaluation_responses").rename(newer / "evaluation_responses")

    run(world, "after")

    assert (
        asked(world, "select * from documents where run_id = 'main' order by doc_id") == documents
    )
    assert len(asked(world, "select * from documents")) == 2 * len(documents)
