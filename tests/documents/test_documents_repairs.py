"""Repairs: a corrected list of bad generations goes back in."""

import csv
from pathlib import Path

import pytest
from documents_archive import Archive, forget, snapshot

from tasks.core.errors import PreflightError
from tasks.documents.core.repairs import HEADINGS


def test_a_repaired_response_file_brings_the_row_in(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.essay("essay")
    archive.respond("right.txt", b"text")
    archive.run()
    listed = corrected(archive, "draft", "repair_response_file", "right.txt")

    archive.run(repairs=listed)

    assert archive.bad() == {}
    assert archive.files("draft")["raw.txt"] == b"text"
    assert archive.parent("essay") == "draft"


def test_a_list_that_a_spreadsheet_saved_again_is_read(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.respond("Grüße.txt", b"text")
    archive.run()
    listed = corrected(archive, "draft", "repair_response_file", "Grüße.txt")
    with listed.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    with listed.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows([[f" {n.upper()}" for n in header], *rows])

    archive.run(repairs=listed)

    assert archive.bad() == {}


def test_a_list_that_names_a_column_twice_is_refused(archive: Archive) -> None:
    archive.save("lists", "twice.csv", ["source_csv", "row_key", "row_key", *HEADINGS[2:]])

    with pytest.raises(PreflightError, match=r"twice\.csv names row_key more than once: keep the"):
        archive.run(repairs=archive.data / "lists/twice.csv")


def test_a_repaired_parent_goes_over_the_rule(archive: Archive) -> None:
    archive.draft("draft", combo_id="another")
    archive.essay("essay")
    archive.evaluation("evaluation", essay_task_id="essay")
    archive.run()
    listed = corrected(archive, "essay", "repair_parent_task_id", "draft")

    archive.run(repairs=listed)

    assert archive.parent("essay") == "draft"
    assert archive.parent("evaluation") == "essay"


def test_repairs_hold_for_later_runs_and_for_new_attempts(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.respond("right.txt", b"text")
    archive.run()
    archive.run(repairs=corrected(archive, "draft", "repair_response_file", "right.txt"))

    archive.run("another")

    assert archive.bad() == {}


def test_a_rebuild_with_the_list_of_repairs_is_the_same(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.essay("essay")
    archive.respond("right.txt", b"text")
    archive.run()
    listed = corrected(archive, "draft", "repair_response_file", "right.txt")
    archive.run(repairs=listed)
    before = snapshot(archive.place())
    forget(archive.place())

    archive.run(repairs=listed)

    assert snapshot(archive.place()) == before


def test_a_repair_that_did_not_help_stands_on_the_list_again(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.run()

    archive.run(repairs=corrected(archive, "draft", "repair_response_file", "also-wrong.txt"))

    (row,) = archive.query("select * from bad_generations")
    assert row["repair_response_file"] == "also-wrong.txt"


def test_a_repair_of_an_unknown_row_changes_nothing_and_says_which(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.run()
    before = snapshot(archive.place())
    listed = corrected(archive, "draft", "row_key", "nobody#1", also="x.txt")

    with pytest.raises(
        PreflightError,
        match=r"^Correct source_csv and row_key .* \(nobody#1 of draft_generation_results\.csv\)",
    ):
        archive.run(repairs=listed)

    assert snapshot(archive.place()) == before


def test_an_old_repair_whose_row_is_gone_stops_nobody(archive: Archive) -> None:
    archive.draft("draft", response_file="wrong.txt")
    archive.run()
    archive.run(repairs=corrected(archive, "draft", "repair_response_file", "also-wrong.txt"))
    archive.rows["draft_generation_results.csv"].clear()
    archive.draft("another")

    archive.run()

    assert archive.bad() == {}


def test_a_list_of_repairs_must_be_there_and_have_its_columns(archive: Archive) -> None:
    archive.save("lists", "list.csv", ["source_csv"], ["x"])

    with pytest.raises(PreflightError, match="is not there"):
        archive.run(repairs=archive.data / "lists/none.csv")
    with pytest.raises(PreflightError, match="has no row_key"):
        archive.run(repairs=archive.data / "lists/list.csv")


def corrected(archive: Archive, task_id: str, column: str, value: str, also: str = "") -> Path:
    """Fill in one cell of bad_generations.csv as a person would; return the corrected copy."""
    with archive.place().bad_list.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["task_id"] == task_id:
            row[column] = value
            row["repair_response_file"] = row["repair_response_file"] or also
    header = list(rows[0])
    archive.save("lists", "corrected.csv", header, *(list(row.values()) for row in rows))
    return archive.data / "lists/corrected.csv"
