"""Songs' files that cannot be read: one sentence that says what to write, before anything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_hand import Engine
from prefect.client.schemas.objects import State
from songs_world import CATALOGUE, NAME, asked, catalogue, read, run, songs, statuses, write
from users_hand import site

from flows.backfill import backfill
from tasks.adapters import csv_rows
from tasks.core.errors import PreflightError

SET = r"set source.text in \[songs\] of backfills.toml"
WITH_ID = '[songs.source]\nid = "isrc"\nname = "{title}"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("artist,name\nA,B\n", rf"songs.csv has no column title; none of its 2 is like it: {SET}"),
        ("artist,Title,TITLE\nA,B,C\n", "has 2 columns title: rename all but one, because source"),
        ("artist,tittle\nA,B\n", rf"has no column title; it has 'tittle': {SET}"),
        ("artist,title,title\nA,B,C\n", "has 2 columns title: rename all but one, because source"),
        ("artist,title\n", "songs.csv has a header, but no rows"),
        ("", "songs.csv is empty: its first line must name its columns"),
        (",,\nA,B,C\n", rf"songs.csv has no column artist; it has 'A': {SET}"),
        ("artist,title\nA,B\nC\n", r"Record 3 of .*songs.csv has 1 values instead of 2\. Perhaps"),
        ("artist,title\nA,B,C\n", r"Record 2 of .*songs.csv has 3 values instead of 2\. Perhaps"),
        ('artist,title\nA,"B\n', "cannot be read as CSV after its record 1"),
        ("artist,title\nA,B\0\n", "Record 2 of .*songs.csv holds a NUL character"),
        ("artist,title\nA,\udcff\n", r"Record 2 of .*songs.csv is not UTF-8, and what else"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_sentence_before_anything_is_asked(
    engine: Engine, tmp_path: Path, text: str, said: str
) -> None:
    good = write(tmp_path / "good.csv", songs(2))
    run(engine, good, tmp_path / "out.csv")
    calls = engine.http.get("/calls").json()
    path = tmp_path / "songs.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(PreflightError, match=said) as raised:
        engine.run(name=NAME, csv_in=str(path), csv_out=str(tmp_path / "out2.csv"))

    assert "\n" not in str(raised.value)
    assert engine.http.get("/calls").json() == calls
    assert not (tmp_path / "out2.csv").exists()
    assert run(engine, "", tmp_path / "out.csv") == "Nothing to do."
    assert len(read(tmp_path / "out.csv")[1]) == 2


def test_a_file_that_is_not_there_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"There is no file .*nowhere.csv"):
        engine.run(name=NAME, csv_in=str(tmp_path / "nowhere.csv"))


@pytest.mark.parametrize(("line", "value"), [("id", "code"), ("name", "{code}")])
def test_the_line_that_asks_for_a_missing_column_is_named(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, value: str
) -> None:
    site(monkeypatch, tmp_path, f'[songs.source]\n{line} = "{value}"\n')
    path = write(tmp_path / "songs.csv", songs(1))

    with pytest.raises(PreflightError, match=rf"has no column code; .*: set source.{line} in"):
        engine.run(name=NAME, csv_in=str(path))


def test_a_file_that_has_become_bad_leaves_the_rows_that_it_had(
    engine: Engine, tmp_path: Path
) -> None:
    path, out = write(tmp_path / "songs.csv", songs(3)), tmp_path / "out.csv"
    run(engine, path, out)
    before = out.read_bytes()
    path.write_text(f"{CATALOGUE}\nragged\n")

    with pytest.raises(PreflightError, match="Record 2"):
        engine.run(name=NAME, csv_in=str(path), csv_out=str(out))

    out.unlink()
    run(engine, "", out)
    assert out.read_bytes() == before


def test_a_dry_run_counts_the_rows_of_the_file_and_brings_in_none(
    engine: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path / "songs.csv", songs(7))

    state: State[Any] = asyncio.run(backfill.fn(name=NAME, dry_run=True, csv_in=str(path)))

    assert "7 targets would be asked in 1 batch job" in str(state.message)
    assert engine.sql("select 1 from backfill.csv_files") == []
    assert engine.http.get("/calls").json() == {}


def test_rows_that_came_in_under_another_template_wait_until_they_are_given_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(tmp_path / "songs.csv", songs(3)), tmp_path / "out.csv"
    run(engine, path, out)
    before = asked(engine)
    text = 'text = "{title} ({artist})"'
    site(monkeypatch, tmp_path, f'[songs]\nextractor_version = "v2"\n[songs.source]\n{text}\n')

    assert run(engine, "", out) == "Nothing to do."
    assert statuses(out) == ["", "", ""]
    assert run(engine, path, out).startswith("3 targets: 3 written")
    assert "Song 1 (Somebody)" in set(asked(engine)) - set(before)


def test_many_cells_are_remembered_in_portions(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "_SHOWN_AT_ONCE", 20)
    monkeypatch.setattr(csv_rows, "_ROWS_AT_ONCE", 7)
    site(monkeypatch, tmp_path, WITH_ID)
    rows = catalogue(*((f"Song {n}", "A", f"QZ{n}") for n in range(40)))
    path, out = write(tmp_path / "songs.csv", rows), tmp_path / "out.csv"

    run(engine, path, out)

    found = engine.sql("select count(distinct target_id)::int as n from backfill.csv_shown")
    assert found == [{"n": 40}]
    assert run(engine, out, out) == "Nothing to do."
    assert engine.sql("select 1 from backfill.csv_rows where kept is not null") == []
