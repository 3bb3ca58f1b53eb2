"""D9: the reports, the counters, lineage and search, as a user would ask for them."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from documents_archive import Archive, import_all, query

from tasks.adapters import csv_files
from tasks.adapters.postgres import statements
from tasks.documents.adapters import store
from tasks.documents.core.reports import markdown, table


def chain(archive: Archive) -> None:
    """Add a draft, its essay and the essay's evaluation."""
    archive.draft("draft")
    archive.essay("essay")
    archive.evaluation("evaluation", essay_task_id="essay")


def listed(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def report(archive: Archive, name: str) -> list[dict[str, str]]:
    return listed(archive.root / f"docs/reports/{name}.csv")


def test_lineage_leads_from_an_evaluation_to_its_essay_and_draft(archive: Archive) -> None:
    chain(archive)
    archive.evaluation("of-draft", generation_task_id="draft")

    archive.run()

    told = {
        row["task_id"]: (row["essay_doc_id"], row["draft_doc_id"])
        for row in archive.query("select * from documents_lineage")
    }
    draft, essay = archive.one("draft")["doc_id"], archive.one("essay")["doc_id"]
    assert told == {
        "draft": (None, draft),
        "essay": (essay, draft),
        "evaluation": (essay, draft),
        "of-draft": (None, draft),
    }


def test_the_latest_report_shows_the_newest_good_attempt_of_each_question(archive: Archive) -> None:
    archive.draft("old", generation_timestamp="2025-01-01T10:00:00Z")
    archive.draft("new", generation_timestamp="2025-01-01T20:00:00+09:00")
    archive.draft("newest-but-failed", generation_status="failed")
    archive.draft("other", draft_template="another")

    archive.run()

    latest = archive.query("select task_id from documents_latest_report order by task_id")
    assert [row["task_id"] for row in latest] == ["new", "other"]
    assert {row["task_id"] for row in report(archive, "documents_latest_report")} == {
        "new",
        "other",
    }


def test_a_later_run_is_later_whatever_its_rows_say(archive: Archive) -> None:
    archive.draft("draft")
    archive.run("z-first")
    archive.run("a-second")
    archive.run("z-first")

    (latest,) = archive.query("select run_id from documents_latest_report")

    assert latest["run_id"] == "a-second"


def test_parsed_text_is_found_by_its_words(archive: Archive) -> None:
    archive.draft("one", response_file=archive.respond("1", b"A tale of lattice dreams."))
    archive.draft("two", response_file=archive.respond("2", b"Nothing of the kind."))
    archive.run()

    with store.opened(archive.place().database, "index.sql") as index:
        found = list(index.rows("search", {"words": "dreams AND lattice", "most": 10}))

    assert [(row["task_id"], row["passage"]) for row in found] == [
        ("one", "A tale of [lattice] [dreams].\n")
    ]


def test_what_is_missing_on_disk_is_reported(archive: Archive) -> None:
    chain(archive)
    archive.link("without-prompt", combo_id="x")
    archive.run()
    folders = {t: archive.root / "docs" / archive.one(t)["doc_dir"] for t in ("draft", "essay")}
    (folders["draft"] / "raw.txt").unlink()
    (folders["draft"] / "parsed.txt").write_text("changed")
    folders["essay"].rename(archive.root / "moved-away")

    summary = archive.run()

    found = archive.query("select problem, task_id from documents_consistency_report")
    assert {(row["problem"], row["task_id"]) for row in found} == {
        ("missing_raw", "draft"),
        ("changed_parsed", "draft"),
        ("missing_directory", "essay"),
        ("missing_prompt", "without-prompt"),
    }
    assert len(report(archive, "documents_consistency_report")) == 4
    assert "changed_parsed" in markdown(summary)


def test_a_directory_that_no_row_tells_of_is_reported_and_left_alone(archive: Archive) -> None:
    chain(archive)
    archive.run()
    stray = archive.root / "docs/essay/key/stray"
    stray.mkdir(parents=True)
    (stray / "raw.txt").write_text("whose?")

    archive.run()

    (row,) = archive.query("select * from documents_consistency_report")
    assert (row["problem"], row["doc_dir"]) == ("directory_without_row", "essay/key/stray")
    assert stray.exists()


def test_bad_generations_say_all_that_a_person_needs_in_order(archive: Archive) -> None:
    archive.draft("z", response_file="gone.txt")
    archive.draft("a", response_file="../out.txt")
    archive.essay("essay")

    archive.run()

    rows = listed(archive.data / "7_cross_experiment/bad_generations.csv")
    assert [(row["source_csv"], row["row_index"]) for row in rows] == [
        ("draft_generation_results.csv", "1"),
        ("draft_generation_results.csv", "2"),
        ("essay_generation_results.csv", "1"),
    ]
    assert rows[0] | {"logical_key_id": ""} == {
        "source_csv": "draft_generation_results.csv",
        "reason": "missing_response_file",
        "row_index": "1",
        "task_id": "z",
        "combo_id": "combo",
        "template_id": "template",
        "model_id": "model",
        "response_file": "gone.txt",
        "timestamp": "2025-01-01T12:00:00Z",
        "detail": "there is no such file",
        "stage": "draft",
        "generation_status": "success",
        "logical_key_id": "",
        "row_key": "z#1",
        "repair_response_file": "",
        "repair_parent_task_id": "",
    }
    assert list(rows[0])[:4] == ["source_csv", "reason", "row_index", "task_id"]
    assert not (archive.root / "docs/reports/bad_generations.csv").exists()


def test_the_bad_list_goes_to_any_place_that_is_asked_for(archive: Archive) -> None:
    archive.draft("draft", response_file="gone.txt")
    archive.write()
    place = archive.place().model_copy(update={"bad_list": archive.root / "lists/bad.csv"})

    import_all(place)

    assert [row["task_id"] for row in listed(archive.root / "lists/bad.csv")] == ["draft"]
    assert not (archive.data / "7_cross_experiment/bad_generations.csv").exists()


def test_a_list_of_an_earlier_version_gets_todays_columns(archive: Archive) -> None:
    archive.draft("draft", response_file="gone.txt")
    archive.run()
    with closing(sqlite3.connect(archive.place().database)) as connection:
        connection.execute("drop view bad_generations")
        connection.execute("create view bad_generations as select 1 as template")

    archive.run()

    assert archive.bad() == {"draft": "missing_response_file"}


def test_a_run_is_told_in_one_sentence(archive: Archive) -> None:
    chain(archive)
    archive.draft("draft")
    whole = archive.run("whole")
    archive.draft("bad", response_file="", combo_id="another")

    summary = archive.run()
    raw = archive.root / "docs" / archive.query("select doc_dir from documents")[0]["doc_dir"]
    (raw / "raw.txt").unlink()
    holed = archive.run()

    assert whole.message == (
        "Run whole: of 4 CSV rows 3 have their document, 1 repeats another and none is on the"
        " bad list; every document is whole on disk."
    )
    assert summary.message == (
        "Run main: of 5 CSV rows 3 have their document, 1 repeats another and 1 is on the bad"
        f" list {archive.place().bad_list}; every document is whole on disk."
    )
    assert holed.message.endswith("; 1 problem was found on disk.")


def test_a_csv_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    csv_files.replace(path, ["a"], [["old"]])

    def broken() -> Iterator[list[str]]:
        yield ["new"]
        raise RuntimeError

    with suppress(RuntimeError):
        csv_files.replace(path, ["a"], broken())

    assert path.read_bytes() == b"a\r\nold\r\n"


def test_every_row_is_in_exactly_one_end(archive: Archive) -> None:
    chain(archive)
    archive.draft("draft")
    archive.draft("bad", response_file="")

    summary = archive.run()

    for end in summary.ends:
        assert end["row_count"] == end["written"] + end["bad"] + end["skipped"]
    assert sum(end["row_count"] for end in summary.ends) == 5


def test_the_reports_are_views_that_any_sqlite_shell_can_read(archive: Archive) -> None:
    chain(archive)
    archive.run()
    views = statements("documents/views.sql")
    names = [name.removeprefix("create_") for name in views if name.startswith("create_")]

    for name in names:
        query(archive.place().database, f"select * from {name}")

    assert {"documents_latest_report", "documents_consistency_report"} <= set(names)


def test_pipes_and_newlines_in_a_cell_do_not_break_a_table() -> None:
    assert table([{"a": "x|y\nz"}], "") == "| a |\n| --- |\n| x\\|y z |"


def test_no_rows_are_said_in_words() -> None:
    assert table([], "None.") == "None."
