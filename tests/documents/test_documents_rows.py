"""D1 to D4, D7, D8 and the trouble that real CSVs and files bring."""

import json
import sqlite3
from contextlib import closing

import pytest
from documents_archive import Archive

from tasks.core.errors import PreflightError


def test_a_document_has_its_row_and_its_files(archive: Archive) -> None:
    archive.draft("draft", response_file=archive.respond("any.txt", b"Some text.\r\n\r\n"))

    archive.run()

    row = archive.one("draft")
    assert row["doc_dir"] == f"draft/{row['logical_key_id']}/{row['doc_id']}"
    files = archive.files("draft")
    assert sorted(files) == ["metadata.json", "parsed.txt", "raw.txt"]
    assert files["raw.txt"] == b"Some text.\r\n\r\n"
    assert files["parsed.txt"] == b"Some text.\n"
    assert (row["raw_bytes"], row["parsed_bytes"], row["prompt_bytes"]) == (14, 11, None)
    assert json.loads(files["metadata.json"])["task_id"] == "draft"


def test_task_ids_are_taken_as_they_stand(archive: Archive) -> None:
    odd = "Ünïcode / with, comma \"quotes\" and 'more'"
    archive.draft(odd, response_file=archive.respond("r.txt", b"text"))

    archive.run()

    assert archive.one(odd)["row_key"] == f"{odd}#1"


def test_a_byte_order_mark_before_the_header_is_no_part_of_a_name(archive: Archive) -> None:
    archive.draft("draft")
    archive.write()
    path = archive.data / "7_cross_experiment/draft_generation_results.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    archive.write = lambda: None  # type: ignore[method-assign]

    archive.run()

    assert archive.one("draft")["task_id"] == "draft"


def test_newlines_commas_and_quotes_inside_cells_are_content(archive: Archive) -> None:
    archive.headers["draft_generation_results.csv"].append("note")
    archive.draft("one", note='a\r\nb,"c"\n', draft_template="t,\n2")
    archive.draft("two")

    archive.run()

    assert archive.one("one")["template_id"] == "t,\n2"
    assert archive.one("two")["template_id"] == "template"


def test_rows_that_share_a_task_id_are_attempts_of_their_own(archive: Archive) -> None:
    archive.draft("draft", response_file=archive.respond("1.txt", b"first"))
    archive.draft("draft", response_file=archive.respond("2.txt", b"second"))

    archive.run()

    rows = archive.query("select * from documents order by row_key")
    assert [row["row_key"] for row in rows] == ["draft#1", "draft#2"]
    assert len({row["logical_key_id"] for row in rows}) == 1
    assert len({row["doc_id"] for row in rows}) == 2


def test_the_same_record_twice_is_one_document(archive: Archive) -> None:
    archive.draft("draft")
    archive.draft("draft")

    summary = archive.run()

    assert len(archive.query("select * from documents")) == 1
    assert summary.counters["duplicate_rows_skipped"] == 1
    assert archive.bad() == {}


def test_a_row_cut_short_is_listed_and_its_cells_are_not_believed(archive: Archive) -> None:
    archive.draft("draft")
    archive.write()
    path = archive.data / "7_cross_experiment/draft_generation_results.csv"
    path.write_text(path.read_text() + "cut,template,combo")
    archive.write = lambda: None  # type: ignore[method-assign]

    archive.run()

    assert archive.bad() == {"cut": "malformed_row"}


def test_a_column_that_is_named_twice_is_refused_wherever_it_is_used(archive: Archive) -> None:
    archive.headers["draft_generation_results.csv"].append(" Response_File")
    archive.headers["evaluation_results.csv"].append("essay_task_id")
    archive.headers["essay_generation_results.csv"] += ["notes", "notes"]
    archive.save("7_cross_experiment", "parsed_scores.csv", ["evaluation_task_id", *["score"] * 2])

    with pytest.raises(PreflightError) as raised:
        archive.run()

    assert str(raised.value) == (
        "draft_generation_results.csv names response_file more than once;"
        " evaluation_results.csv names essay_task_id more than once;"
        " parsed_scores.csv names score more than once: keep the column that is right."
    )


def test_a_row_without_a_task_id_is_listed_by_its_index(archive: Archive) -> None:
    archive.draft("draft")
    archive.draft("", response_file=archive.respond("r.txt", b"text"))

    archive.run()

    (row,) = archive.query("select * from bad_generations")
    assert (row["reason"], row["row_index"]) == ("missing_task_id", 2)


def test_optional_columns_may_be_missing(archive: Archive) -> None:
    header = archive.headers["evaluation_results.csv"]
    header.remove("evaluation_timestamp")
    header.remove("essay_task_id")
    archive.draft("draft")
    archive.evaluation("evaluation", generation_task_id="draft")

    archive.run()

    row = archive.one("evaluation")
    assert (row["status"], row["generated_at"]) == ("success", None)


def test_task_tables_fill_what_a_row_left_blank(archive: Archive) -> None:
    archive.draft("draft", combo_id="", generation_model="")
    archive.essay("essay")
    archive.save(
        "2_tasks",
        "draft_generation_tasks.csv",
        ["draft_task_id", "combo_id", "draft_template", "generation_model"],
        ["draft", "combo", "not-this-one", "model"],
    )

    archive.run()

    assert archive.parent("essay") == "draft"
    assert archive.one("draft")["template_id"] == "template"


def test_an_optional_table_with_nothing_in_it_is_as_good_as_none(archive: Archive) -> None:
    archive.draft("draft")
    (archive.data / "7_cross_experiment").mkdir()
    (archive.data / "7_cross_experiment/parsed_scores.csv").write_text("\n")

    summary = archive.run()

    assert summary.optional_inputs == []
    assert archive.bad() == {}


def test_a_parsed_score_stands_in_the_metadata(archive: Archive) -> None:
    archive.draft("draft")
    archive.evaluation("evaluation", generation_task_id="draft")
    header = ["evaluation_task_id", "score"]
    archive.save("7_cross_experiment", "parsed_scores.csv", header, ["evaluation", "8.25"])

    archive.run()

    assert json.loads(archive.files("evaluation")["metadata.json"])["score"] == "8.25"
    assert json.loads(archive.one("evaluation")["metadata"])["score"] == "8.25"


@pytest.mark.parametrize("change", ["update documents set task_id = 'x'", "delete from documents"])
def test_rows_of_documents_cannot_be_changed_or_deleted(archive: Archive, change: str) -> None:
    archive.draft("draft")
    archive.run()

    with (
        closing(sqlite3.connect(archive.root / "documents.sqlite")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        connection.execute(change)

    assert archive.one("draft")["task_id"] == "draft"


def test_every_missing_csv_is_named_at_once(archive: Archive) -> None:
    archive.write()
    folder = archive.data / "7_cross_experiment"
    for name in ("draft_generation_results.csv", "evaluation_results.csv"):
        (folder / name).unlink()
    archive.write = lambda: None  # type: ignore[method-assign]

    with pytest.raises(PreflightError, match=r"draft_gen.*csv, evaluation_results\.csv\. Put"):
        archive.run()


def test_every_missing_column_is_named_at_once(archive: Archive) -> None:
    archive.headers["draft_generation_results.csv"].remove("combo_id")
    archive.headers["evaluation_results.csv"].remove("essay_task_id")
    archive.headers["evaluation_results.csv"].remove("generation_task_id")

    with pytest.raises(PreflightError) as caught:
        archive.run()

    assert str(caught.value) == (
        "Columns are missing, add them: draft_generation_results.csv has no combo_id; "
        "evaluation_results.csv has no essay_task_id or generation_task_id."
    )


def test_an_unclosed_quote_is_an_error_and_not_one_giant_cell(archive: Archive) -> None:
    archive.write()
    path = archive.data / "7_cross_experiment/draft_generation_results.csv"
    path.write_text(path.read_text() + 'a,"b,c,d\n' + "x,y\n" * 50)
    archive.write = lambda: None  # type: ignore[method-assign]

    with pytest.raises(PreflightError, match="cannot be read as CSV after its record 1"):
        archive.run()


def test_a_csv_that_is_not_utf_8_is_an_error(archive: Archive) -> None:
    archive.write()
    path = archive.data / "7_cross_experiment/draft_generation_results.csv"
    path.write_bytes(path.read_bytes() + b"\xfc,,,,,,\n")
    archive.write = lambda: None  # type: ignore[method-assign]

    with pytest.raises(PreflightError, match="is not UTF-8"):
        archive.run()
