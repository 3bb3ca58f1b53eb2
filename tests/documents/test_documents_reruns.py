"""Running again: the same run_id adds only what is new, a new one makes new attempts."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from documents_archive import Archive, forget, import_all, query, snapshot

from tasks.core.errors import RunInProgressError, SettingsError, SumsError
from tasks.documents import planning, reporting, slices
from tasks.documents.adapters.place import Place, alone


def small(archive: Archive) -> None:
    """Add a draft, an essay and an evaluation."""
    archive.draft("draft")
    archive.essay("essay")
    archive.evaluation("evaluation", essay_task_id="essay")


def test_the_same_run_id_adds_nothing(archive: Archive) -> None:
    small(archive)
    archive.run()
    before = snapshot(archive.place())

    archive.run()

    assert snapshot(archive.place()) == before
    assert planning.plan_slices(archive.place(), 10) == []


def test_a_new_run_id_is_a_new_attempt_of_every_row(archive: Archive) -> None:
    small(archive)
    archive.run("one")
    before = archive.query("select * from documents where run_id = 'one' order by doc_id")

    archive.run("two")

    assert len(archive.query("select * from documents")) == 6
    assert archive.query("select * from documents where run_id = 'one' order by doc_id") == before


def test_parents_are_of_the_same_run(archive: Archive) -> None:
    small(archive)
    archive.run("one")
    archive.run("two")

    pairs = archive.query(
        "select c.run_id as child, p.run_id as parent from documents as c"
        " inner join documents as p on c.parent_doc_id = p.doc_id"
    )

    assert len(pairs) == 4
    assert all(pair["child"] == pair["parent"] for pair in pairs)


def test_new_rows_are_added_and_old_ones_left_alone(archive: Archive) -> None:
    small(archive)
    archive.run()
    before = archive.one("essay")
    archive.draft("newer", generation_timestamp="2025-01-01T12:30:00Z")
    archive.essay("essay-2")

    archive.run()

    assert archive.one("essay") == before
    assert archive.parent("essay") == "draft"
    assert archive.parent("essay-2") == "newer"


def test_reordered_rows_are_the_same_documents(archive: Archive) -> None:
    for number in range(5):
        archive.draft(f"draft-{number}", combo_id=f"combo-{number}")
    archive.run()
    before = archive.query("select * from documents order by doc_id")
    archive.rows["draft_generation_results.csv"].reverse()

    archive.run()

    assert archive.query("select * from documents order by doc_id") == before


def test_a_file_that_turns_up_later_heals_its_row_and_what_depends_on_it(archive: Archive) -> None:
    small(archive)
    path = archive.responses / archive.rows["draft_generation_results.csv"][0]["response_file"]
    shutil.move(path, archive.root / "aside")
    archive.run()
    assert len(archive.bad()) == 3
    shutil.move(archive.root / "aside", path)

    archive.run()

    assert archive.bad() == {}
    assert archive.parent("evaluation") == "essay"


def test_dropping_everything_and_running_again_gives_the_same(archive: Archive) -> None:
    small(archive)
    archive.draft("bad", response_file="gone")
    archive.run()
    before = snapshot(archive.place())
    forget(archive.place())

    archive.run()

    assert snapshot(archive.place()) == before


def test_slices_of_any_size_give_the_same(archive: Archive) -> None:
    small(archive)
    archive.draft("draft-2", combo_id="x")
    archive.write()
    import_all(archive.place(), slice_size=1)
    before = snapshot(archive.place())
    forget(archive.place())

    import_all(archive.place(), slice_size=1000)

    assert snapshot(archive.place()) == before


def test_slices_written_at_the_same_time_give_the_same(archive: Archive) -> None:
    for number in range(40):
        archive.draft(f"draft-{number}", combo_id=f"combo-{number}")
    archive.run()
    before = snapshot(archive.place())
    forget(archive.place())
    planning.check.fn(archive.place())
    pieces = planning.plan_slices(archive.place(), 3)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(partial(slices.import_rows, archive.place()), pieces))
    reporting.finish(archive.place())

    assert [count.slice_id for count in done] == [piece.slice_id for piece in pieces]
    assert snapshot(archive.place()) == before


def test_a_slice_imported_twice_is_imported_once(archive: Archive) -> None:
    small(archive)
    archive.write()
    pieces = planning.plan_slices(archive.place(), 10)
    for piece in pieces:
        slices.import_rows(archive.place(), piece)
    before = snapshot(archive.place())

    for piece in pieces:
        slices.import_rows(archive.place(), piece)

    assert snapshot(archive.place()) == before


def test_a_slice_whose_plan_is_gone_is_an_error(archive: Archive) -> None:
    small(archive)
    archive.write()
    piece = planning.plan_slices(archive.place(), 10)[0]
    archive.run()
    planning.plan_slices(archive.place(), 10)

    with pytest.raises(SumsError, match="planned with 1 rows and has 0 ends"):
        slices.import_rows(archive.place(), piece)


def test_only_one_run_writes_at_a_time(archive: Archive) -> None:
    with (
        alone(archive.place("first")),
        pytest.raises(RunInProgressError, match="run_id first"),
        alone(archive.place("second")),
    ):
        pass


def test_the_lock_is_free_again_afterwards(archive: Archive) -> None:
    with alone(archive.place("first")):
        pass

    with alone(archive.place("second")):
        held = Path(f"{archive.place().database}.lock").read_text()

    assert held.startswith("run_id second")


@pytest.mark.parametrize("taken", ["docs", "docs/reports", "docs/.incoming"])
def test_an_output_that_cannot_be_written_is_one_sentence(archive: Archive, taken: str) -> None:
    small(archive)
    (archive.root / taken).parent.mkdir(exist_ok=True)
    (archive.root / taken).write_text("a file where the folder should be")

    with pytest.raises(
        SettingsError, match=rf"cannot write .*{taken}/.*: what should be its folder"
    ):
        archive.run()


def test_a_list_that_is_a_folder_is_one_sentence(archive: Archive) -> None:
    small(archive)
    archive.place().bad_list.mkdir(parents=True)

    with pytest.raises(SettingsError, match=r"cannot write .*bad_generations.csv: it is a folder"):
        archive.run()


def test_a_database_that_is_no_sqlite_file_is_one_sentence(archive: Archive) -> None:
    small(archive)
    (archive.root / "documents.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(SettingsError, match="is not a SQLite file"):
        archive.run()


def test_another_programs_documents_are_left_alone(archive: Archive) -> None:
    small(archive)
    database = archive.place().database
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table documents (id integer, body text)")
    before = query(database, "select name from sqlite_master order by name")

    with pytest.raises(SettingsError, match=r"holds tables that this index did not make \(no such"):
        archive.run()

    assert query(database, "select name from sqlite_master order by name") == before


def test_the_index_and_its_lists_have_their_usual_places(archive: Archive) -> None:
    place = Place.of(archive.data, "main")

    assert place.database == archive.data / "db/documents.sqlite"
    assert place.bad_list == archive.data / "7_cross_experiment/bad_generations.csv"
    assert place.reports == archive.data / "docs/reports"
