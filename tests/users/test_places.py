"""Every place that a run will write to is tried before anything is asked."""

from pathlib import Path

import pytest
from engine_hand import Engine, configure
from prefect.settings import PREFECT_RESULTS_LOCAL_STORAGE_PATH, temporary_settings
from songs_world import ANSWERED, NAME, read, run, songs, statuses, write

from tasks.adapters import portable_files
from tasks.core.errors import PreflightError
from tasks.reports import export


def test_a_place_that_cannot_be_written_is_said_before_anything_is_asked(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "songs.csv", songs(2))
    file, folder = tmp_path / "file", tmp_path / "folder.csv"
    file.touch()
    folder.mkdir()

    def refused(csv_out: Path, **values: object) -> str:
        with pytest.raises(PreflightError) as raised:
            engine.run(csv_out=str(csv_out), **({"name": NAME, "csv_in": str(source)} | values))
        return str(raised.value).replace(f"{tmp_path}/", "")

    assert refused(folder) == "csv_out cannot be written to folder.csv: it is a folder."
    assert refused(file / "out.csv") == (
        "csv_out cannot be written to file/out.csv: what should be its folder is a file."
    )
    assert refused(tmp_path / ("long" * 80)).endswith(": File name too long.")
    assert "passage_concepts writes into tables: leave csv_out empty." in refused(
        tmp_path / "out.csv", name="passage_concepts", csv_in=""
    )
    with temporary_settings({PREFECT_RESULTS_LOCAL_STORAGE_PATH: file / "results"}):
        assert refused(tmp_path / "out.csv") == (
            "Prefect cannot keep results in file/results (what should be its folder is a file):"
            " set PREFECT_RESULTS_LOCAL_STORAGE_PATH."
        )
    with pytest.raises(PreflightError, match=r"rows cannot be written to .*: it is a folder"):
        export.write(NAME, "csv", str(folder), None, best=False)
    with pytest.raises(PreflightError, match=r"answers cannot be written to .*: it is a folder"):
        portable_files.write(folder, [])
    configure(monkeypatch, reports_dir=file)
    assert refused(tmp_path / "out.csv") == (
        "Nothing can be written to file (what should be its folder is a file): set"
        " BACKFILL_REPORTS_DIR."
    )
    assert engine.billed() == {}
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_was_changed_while_its_rows_were_asked_is_left_until_the_next_run(
    engine: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path / "songs.csv", songs(2))
    engine.at_event("job_created", write, path, songs(3))

    first = run(engine, path, path, transport="batch")

    assert first.startswith("2 targets: 2 written")
    assert read(path)[1] == songs(3)
    assert run(engine, path, path).startswith("1 targets: 1 written")
    assert set(statuses(path)) <= ANSWERED
    assert len(statuses(path)) == 3


def test_a_file_whose_rows_came_in_is_replaced_only_as_its_own_output(
    engine: Engine, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.csv", songs(2))
    two = write(tmp_path / "two.csv", songs(1, first=2))
    run(engine, one, one)
    run(engine, two, tmp_path / "out.csv")
    before = one.read_bytes()

    for csv_in in (str(two), ""):
        with pytest.raises(PreflightError, match=r"csv_out names .*one.csv, whose own rows came"):
            engine.run(name=NAME, csv_in=csv_in, csv_out=str(one))

    assert one.read_bytes() == before
    assert run(engine, one, one) == "Nothing to do."
    assert [row[:8] for row in read(one)[1]] == songs(2)
