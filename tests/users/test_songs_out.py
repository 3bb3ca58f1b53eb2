"""The songs' world on its way out: every value as it came in, and what people wrote kept."""

import asyncio
from pathlib import Path

import orjson
import pytest
from engine_hand import Engine
from songs_world import (
    ANSWERED,
    CATALOGUE,
    NAME,
    OURS,
    Row,
    asked,
    ours,
    read,
    run,
    songs,
    statuses,
    write,
)
from users_hand import site

import flows.backfill_slice
import flows.redrive
from tasks.adapters import csv_rows

ODD_HEADER = ("title", "note", "", "artist", "note", " padded ", "Ünïcode;,\t", "")
ODD_ROWS = [
    ("One", 'a "quote"', "", "A", "comma, semicolon; tab\t", "  blanks  ", "line\nbreak", ""),
    ("Two", "", "x", " A ", "crlf\r\nbreak", "'=1+1", "\N{BYTE ORDER MARK}é", "NULL"),
    ("Three (feat. [B])", "same", "", "A", "same", "0012", "1,5", ""),
]
FORMS = [
    (",", "\n", "utf-8", False),
    (";", "\r\n", "utf-8-sig", False),
    ("\t", "\n", "utf-16", True),
    (",", "\r\n", "utf-8-sig", True),
    (";", "\n", "utf-8", True),
]


def _cell(value: str, *, is_quoted: bool) -> str:
    is_quoted = is_quoted or any(mark in value for mark in '",;\t\r\n')
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if is_quoted else value


def _edit(path: Path, **cells: tuple[int, str]) -> None:
    """Let a person change cells of a file: by column, in a row, to a value."""
    header, rows = read(path)
    table = [list(row) for row in rows]
    for name, (row, value) in cells.items():
        table[row][header.index(name)] = value
    write(path, table, header)


def _redrive() -> None:
    asyncio.run(flows.redrive.redrive.fn(name=NAME, dry_run=False))


@pytest.mark.parametrize(("delimiter", "end", "codec", "quotes_all"), FORMS)
def test_every_value_delimiter_line_end_mark_and_quote_comes_out_as_it_came_in(  # noqa: PLR0913, PLR0917
    engine: Engine,
    tmp_path: Path,
    delimiter: str,
    end: str,
    codec: str,
    quotes_all: bool,  # noqa: FBT001
) -> None:
    table = [ODD_HEADER, *ODD_ROWS]
    # All that holds any mark is quoted, as some programs do; ours quotes what it must.
    lines = [delimiter.join(_cell(each, is_quoted=quotes_all) for each in row) for row in table]
    path, out = tmp_path / "songs.csv", tmp_path / "out.csv"
    path.write_bytes("".join(line + end for line in lines).encode(codec))

    run(engine, path, out)

    with csv_rows.csv_files.reading(out) as (dialect, header, records):
        found = list(records)
    assert (dialect.delimiter, dialect.line_end) == (delimiter, end)
    assert dialect.bom == (codec != "utf-8")
    assert tuple(header) == (*ODD_HEADER, *OURS)
    assert [tuple(row[: len(ODD_HEADER)]) for row in found] == ODD_ROWS
    assert all(row[len(ODD_HEADER)] in ANSWERED for row in found)
    text = out.read_bytes().decode(codec)
    assert text.endswith(end)
    assert not quotes_all or all(f'{line}{delimiter}"' in text for line in lines)


def test_rows_may_leave_out_the_nameless_columns_at_the_end(engine: Engine, tmp_path: Path) -> None:
    path, out = tmp_path / "songs.csv", tmp_path / "out.csv"
    path.write_text("artist,title,,\nA,One,,\nA,Two\nA,Three,\n")

    run(engine, path, out)

    header, rows = read(out)
    assert header == ("artist", "title", "", "", *OURS)
    assert [row[:4] for row in rows] == [("A", each, "", "") for each in ("One", "Two", "Three")]


def test_every_row_has_the_status_of_its_end(engine: Engine, tmp_path: Path) -> None:
    rows = songs(24)
    rows[3] = (" ", "", *rows[3][2:])
    engine.fault("safety", match={"text": "Song 5"})
    out = tmp_path / "out.csv"

    run(engine, write(tmp_path / "songs.csv", rows), out)

    found = ours(out)
    by_status = {name: [row for row in found if row["ai_status"] == name] for name in statuses(out)}
    assert set(by_status) == {"SUCCESS", "HUMAN_REVIEW", "ERROR", "INVALID_INPUT"}
    assert found[5]["ai_status"] == "ERROR"
    assert found[5]["ai_error_message"]
    assert found[3]["ai_error_message"] == "There is no text to ask about."
    assert not any(found[at][name] for at in (3, 5) for name in OURS[2:])
    for row in by_status["SUCCESS"] + by_status["HUMAN_REVIEW"]:
        assert row["ai_error_message"] == ""
        assert all(row[name] for name in OURS[2:-2])


def test_a_row_not_asked_yet_has_an_empty_status(engine: Engine, tmp_path: Path) -> None:
    path, out = write(tmp_path / "songs.csv", songs(10)), tmp_path / "out.csv"

    run(engine, path, out, limit=4)

    assert sum(each in ANSWERED for each in statuses(out)) == 4
    assert statuses(out).count("") == 6
    assert all(not any(row.values()) for row in ours(out) if not row["ai_status"])


MARKED = ("=Blue", "@Vega", "-3", "NULL", "+96", "-disco", "", "=a.csv")
SONG = {
    "reasoning": "=1+1",
    "context_used": "-0.5",
    "energy": "High",
    "accessibility": "Timeless",
    "subgenres": ["@home", "+pop"],
}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(("line", "mark"), [("", "'"), ('[songs]\nformulas = "as_is"\n', "")])
def test_no_answer_is_a_formula_and_the_users_cells_stay_as_they_are(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, mark: str
) -> None:
    if line:
        site(monkeypatch, tmp_path, line)
    engine.fault("says", text=orjson.dumps(SONG).decode())
    source, out = tmp_path / "songs.csv", tmp_path / "out.csv"
    write(source, [MARKED])

    run(engine, source, out)
    again = run(engine, out, out)

    _, [theirs] = read(out)
    [row] = ours(out)
    assert theirs[: len(MARKED)] == MARKED
    assert row["ai_reasoning"] == f"{mark}=1+1"
    assert row["ai_context_used"] == "-0.5"
    assert row["ai_subgenre_1"] == f"{mark}@home"
    assert again == "Nothing to do."


def test_what_a_person_changed_in_our_output_is_kept_and_what_was_emptied_is_filled(
    engine: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path / "songs.csv", songs(6))
    run(engine, path, path)
    before = ours(path)
    _edit(
        path,
        ai_energy=(0, "mine"),
        ai_status=(1, "CHECKED"),
        ai_error_message=(2, "odd, ask Vega"),
        ai_reasoning=(3, ""),
        bpm=(4, "100"),
    )

    said = run(engine, path, path)

    assert said == "Nothing to do."
    expected = [dict(row) for row in before]
    expected[0]["ai_energy"] = "mine"
    expected[1]["ai_status"] = "CHECKED"
    expected[2]["ai_error_message"] = "odd, ask Vega"
    assert ours(path) == expected
    header, rows = read(path)
    assert header == (*CATALOGUE.split(","), *OURS)
    assert rows[4][4] == "100"


def test_an_error_that_was_redriven_becomes_an_answer_beside_a_persons_words(
    engine: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path / "songs.csv", songs(8))
    engine.fault("safety", match={"text": "Song 2"})
    run(engine, path, path)
    engine.no_faults()
    assert statuses(path)[2] == "ERROR"
    _edit(path, ai_energy=(2, "mine"), ai_accessibility=(3, "mine too"))

    _redrive()
    run(engine, path, path)

    third, fourth = ours(path)[2:4]
    assert third["ai_status"] in ANSWERED
    assert third["ai_error_message"] == ""
    assert third["ai_energy"] == "mine"
    assert third["ai_reasoning"]
    assert fourth["ai_accessibility"] == "mine too"


def test_a_file_from_elsewhere_asks_nothing_for_its_answered_rows(
    engine: Engine, tmp_path: Path
) -> None:
    header = ("ai_energy", "title", "ai_status", "artist", "ai_mood", "ai_error_message")
    rows: list[Row] = [
        ("High", "One", "SUCCESS", "A", "sad", ""),
        ("Low", "Two", "HUMAN_REVIEW", "A", "", "twice in the list"),
        ("", "Three", "ERROR", "A", "", "429 RESOURCE_EXHAUSTED"),
        ("", "Four", "", "A", "glad", ""),
        ("", "One", "", "A", "", ""),
        ("", "Two", "INVALID_INPUT", "A", "", "no artist"),
    ]
    out = tmp_path / "out.csv"

    run(engine, write(tmp_path / "elsewhere.csv", rows, header), out)

    assert asked(engine) == ["A - Four", "A - One", "A - Three", "A - Two"]
    header_out, found = read(out)
    assert header_out == (*header, *(name for name in OURS if name not in header))
    assert found[:2] == [(*row, *[""] * 6) for row in rows[:2]]
    assert [row[4] for row in found] == [row[4] for row in rows]
    assert all(row[2] in ANSWERED and row[0] and not row[5] for row in found[2:])

    again = run(engine, out, out)

    assert again == "Nothing to do."
    assert [row[:6] for row in read(out)[1]] == [row[:6] for row in found]


def test_several_files_come_one_after_the_other_each_with_its_own_rows(
    engine: Engine, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.csv", songs(3))
    two = write(
        tmp_path / "two.csv", [("A", "4", "Other"), ("Somebody", "3", "Song 0")], "artist,bpm,title"
    )
    run(engine, one, tmp_path / "out1.csv")
    first = (tmp_path / "out1.csv").read_bytes()

    assert run(engine, two, tmp_path / "out2.csv").startswith("1 targets: 1 written")
    assert run(engine, one, tmp_path / "out1.csv") == "Nothing to do."

    assert (tmp_path / "out1.csv").read_bytes() == first
    assert [row[:3] for row in read(tmp_path / "out2.csv")[1]] == read(two)[1]
    assert ours(tmp_path / "out2.csv")[1] == ours(tmp_path / "out1.csv")[0]


def test_all_files_are_merged_on_request_with_their_columns_united(
    engine: Engine, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.csv", songs(3))
    two = write(tmp_path / "two.csv", [("A", "x", "Other")], "artist,mood,title")
    run(engine, one, tmp_path / "out1.csv")
    run(engine, two, tmp_path / "out2.csv")

    assert run(engine, "", tmp_path / "merged.csv") == "Nothing to do."

    header, rows = read(tmp_path / "merged.csv")
    assert header == (*CATALOGUE.split(","), "mood", *OURS)
    assert [row[:9] for row in rows] == [
        *((*row, "") for row in songs(3)),
        ("Other", "A", "", "", "", "", "", "", "x"),
    ]
    assert ours(tmp_path / "merged.csv") == [
        *ours(tmp_path / "out1.csv"),
        *ours(tmp_path / "out2.csv"),
    ]


def test_a_run_that_died_with_a_file_in_flight_is_answered_by_the_next_files_run(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write(tmp_path / "one.csv", songs(30))
    two = write(tmp_path / "two.csv", songs(5, first=30))

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill_slice, "await_job", die)
        with pytest.raises(SystemExit):
            engine.run(name=NAME, csv_in=str(one))

    run(engine, two, tmp_path / "out2.csv")
    again = run(engine, one, tmp_path / "out1.csv")

    assert again == "Nothing to do."
    assert set(statuses(tmp_path / "out1.csv")) <= ANSWERED
    assert set(statuses(tmp_path / "out2.csv")) <= ANSWERED
    assert engine.ends() == {"written": 35}
    assert max(engine.billed().values()) == 1


def test_what_went_out_is_known_again_although_the_run_died_at_that_moment(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(tmp_path / "songs.csv", songs(6)), tmp_path / "out.csv"
    put = csv_rows.csv_files.replace

    def die(*arguments: object) -> int:
        put(*arguments)  # type: ignore[arg-type]
        if set(statuses(out)) <= ANSWERED:
            raise SystemExit
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(csv_rows.csv_files, "replace", die)
        with pytest.raises(SystemExit):
            engine.run(name=NAME, csv_in=str(path), csv_out=str(out))

    site(monkeypatch, tmp_path, '[songs]\nextractor_version = "v2"\ntemperature = 0.3\n')
    said = run(engine, out, out)

    assert said.startswith("6 targets: 6 written")  # nobody takes them for a person's words
