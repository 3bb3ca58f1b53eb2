"""The songs' world: whatever header their files have, and which rows are one question."""

import logging
from pathlib import Path

import orjson
import pytest
from engine_hand import Engine
from songs_world import (
    ANSWERED,
    CATALOGUE,
    EXPORTS,
    NAME,
    OURS,
    asked,
    catalogue,
    ours,
    read,
    run,
    songs,
    statuses,
    write,
)
from users_hand import site

import tasks.planning.csv_in_out
from tasks import backfills
from tasks.adapters import rows
from tasks.adapters.postgres import connect

ANSWER = {
    "context_used": "none",
    "energy": "High",
    "accessibility": "Timeless",
    "subgenres": ["Dream pop"],
}
WITH_ID = '[songs.source]\nid = "isrc"\n'


def _labels(ids: list[str]) -> dict[str, str]:
    with connect() as connection:
        return rows.labels(connection, backfills.get(NAME), ids)


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_header_runs_by_site_lines_alone(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    export = EXPORTS[kind]
    path, out = tmp_path / "export.csv", tmp_path / "out.csv"
    path.write_bytes(export.text.encode("utf-8-sig" if export.bom else "utf-8"))
    site(monkeypatch, tmp_path, export.site)

    run(engine, path, out)

    assert export.asked in asked(engine)
    targeted = [row["target_id"] for row in engine.generations()]
    [target] = [each for each in targeted if each.startswith(export.target)][:1]
    assert _labels([target]) == {target: export.label.strip()}
    header, rows = read(path)
    header_out, rows_out = read(out)
    assert header_out == (*header, *OURS)
    assert [row[: len(header)] for row in rows_out] == rows
    assert {row[len(header)] for row in rows_out} <= ANSWERED
    assert out.read_bytes().startswith(b"\xef\xbb\xbf") == export.bom
    assert f"{export.text.splitlines()[0]}," in out.read_text(encoding="utf-8-sig")


@pytest.mark.usefixtures("plain")
def test_a_file_of_an_old_spreadsheet_is_answered_in_its_own_dialect_while_that_has_the_letters(
    engine: Engine, tmp_path: Path
) -> None:
    path, out = tmp_path / "songs.csv", tmp_path / "out.csv"
    theirs = "sep=;\r\nArtist; TITLE ;note\r\nBeyoncé;Déjà Vu;für\r\n"
    path.write_bytes(f"{theirs}\x1a".encode("cp1252"))
    engine.fault("says", text=orjson.dumps(ANSWER | {"reasoning": "très"}).decode())

    run(engine, path, out)

    assert asked(engine) == ["Beyoncé - Déjà Vu"]
    first, header, row, end = out.read_bytes().decode("cp1252").split("\r\n")
    assert (first, end) == ("sep=;", "")
    assert header == ";".join(["Artist", " TITLE ", "note", *OURS])
    assert row.startswith("Beyoncé;Déjà Vu;für;SUCCESS;;très;")

    engine.no_faults()
    engine.fault("says", text=orjson.dumps(ANSWER | {"reasoning": "A → B"}).decode())
    path.write_bytes(f"{theirs}Sigur Rós;Popplagið;\r\n".replace("ð", "d").encode("cp1252"))
    run(engine, path, out)

    text = out.read_bytes().decode()
    assert text.startswith("\N{BYTE ORDER MARK}sep=;\r\nArtist; TITLE ;note;ai_status;")
    assert ";très;" in text
    assert ";A → B;" in text


def test_rows_put_on_top_of_the_file_ask_nothing_anew(engine: Engine, tmp_path: Path) -> None:
    path, out = tmp_path / "songs.csv", tmp_path / "out.csv"
    run(engine, write(path, songs(5)), out)
    before = ours(out)

    said = run(engine, write(path, [*songs(2, first=5), *songs(5)]), out)

    assert said.startswith("2 targets: 2 written")
    assert ours(out)[2:] == before
    assert len(asked(engine)) == 7


def test_a_song_of_two_playlists_is_asked_once_and_answered_in_both_rows(
    engine: Engine, tmp_path: Path
) -> None:
    rows = songs(3)
    rows.append((*rows[0][:-1], "another.csv"))
    out = tmp_path / "out.csv"

    said = run(engine, write(tmp_path / "songs.csv", rows), out)

    assert said.startswith("3 targets: 3 written, 0 empty, 0 bad, 0 skipped")
    assert len(asked(engine)) == 3
    assert ours(out)[3] == ours(out)[0]
    assert ours(out)[0]["ai_status"] in ANSWERED


def test_rows_of_one_id_and_one_question_are_one_target(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, tmp_path, WITH_ID)
    rows = catalogue(("Song", "A", "QZ1"), ("Song", "A", "QZ1"), ("Song", "A", " QZ1 "))
    out = tmp_path / "out.csv"

    run(engine, write(tmp_path / "songs.csv", rows), out)

    assert [row["target_id"] for row in engine.generations()] == ["QZ1"]
    first, *others = ours(out)
    assert first["ai_status"] in ANSWERED
    assert others == [first, first]


def test_of_one_id_with_different_questions_one_is_asked_and_the_others_say_why(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tasks.planning.csv_in_out, "get_run_logger", logging.getLogger)
    site(monkeypatch, tmp_path, WITH_ID)
    rows = catalogue(("Song", "A", "QZ1"), ("Other", "B", "QZ1"), ("Third", "C", "QZ3"))
    out = tmp_path / "out.csv"

    with caplog.at_level(logging.WARNING):
        run(engine, write(tmp_path / "songs.csv", rows), out)

    first, second, third = ours(out)
    invalid = [each for each in (first, second) if each["ai_status"] == "INVALID_INPUT"]
    assert [each["ai_error_message"] for each in invalid] == [
        "Another row has the same id and asks something else."
    ]
    assert third["ai_status"] in ANSWERED
    assert len(asked(engine)) == 2
    assert "1 ids stand in rows that ask different things (QZ1, …)" in caplog.text


def test_an_isrc_of_another_spelling_of_null_is_none(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, tmp_path, WITH_ID)
    spellings = ("NULL", "null", "", "  ", "None", "n/a", "NaN")
    rows = catalogue(*((f"Song {at}", "A", each) for at, each in enumerate(spellings)))
    out = tmp_path / "out.csv"

    run(engine, write(tmp_path / "songs.csv", rows), out)

    assert set(statuses(out)) <= ANSWERED
    assert len(asked(engine)) == len(spellings)


def test_one_id_that_asks_differently_in_two_files_has_its_own_answer_in_each(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, tmp_path, WITH_ID)
    one = write(tmp_path / "one.csv", catalogue(("Song", "A", "QZ1")))
    two = write(tmp_path / "two.csv", catalogue(("Song (Remastered)", "A", "QZ1")))
    run(engine, one, tmp_path / "out1.csv")
    run(engine, two, tmp_path / "out2.csv")
    before = ours(tmp_path / "out1.csv")

    said = run(engine, one, tmp_path / "out1.csv")

    assert said == "Nothing to do."
    assert ours(tmp_path / "out1.csv") == before
    assert before != ours(tmp_path / "out2.csv")


def test_a_name_outside_the_sites_list_of_subgenres_is_a_bad_answer(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = ["Nu disco", "Dream pop", "Boom bap"]
    (tmp_path / "subgenres.txt").write_text("\n".join(["# ours", *listed, ""]))
    options = '[songs.options]\nsubgenres = { file = "subgenres.txt" }\n'
    site(monkeypatch, tmp_path, options)
    out = tmp_path / "out.csv"

    run(engine, write(tmp_path / "songs.csv", songs(10)), out)

    chosen = {each[name] for each in ours(out) for name in OURS[-3:]} - {""}
    assert chosen
    assert chosen <= set(listed)

    # A model that takes no schema beside a search is held by the reading alone: the made-up names
    # of the emulator are in no list.
    engine.set(old_keys=True)
    searching = (
        '[songs]\ngoogle_search = true\nextractor_version = "search_v1"\n'
        'model = "gemini-2.5-flash-lite"\n'
    )
    site(monkeypatch, tmp_path, searching + options)
    run(engine, tmp_path / "songs.csv", out)

    assert statuses(out) == ["ERROR"] * 10
    assert all("subgenres" in each["ai_error_message"] for each in ours(out))


def test_temperature_and_search_of_the_site_reach_the_request(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, tmp_path, "[songs]\ntemperature = 0.3\ngoogle_search = true\n")

    run(engine, write(tmp_path / "songs.csv", songs(2)), tmp_path / "out.csv")

    for key in engine.billed():
        [sent] = engine.http.get(f"/requests/{key}").json()["requests"]
        assert sent["request"]["tools"] == [{"googleSearch": {}}]
        assert sent["request"]["generationConfig"]["temperature"] == 0.3
        assert sent["request"]["generationConfig"]["responseSchema"]["type"] == "OBJECT"


def test_the_catalogue_is_what_the_declaration_expects() -> None:
    template = backfills.get(NAME).template

    assert set(template.columns) <= set(CATALOGUE.split(","))
