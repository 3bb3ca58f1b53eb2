"""CSV as real spreadsheets write it, and clear sentences for what cannot be read."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters import csv_files
from tasks.adapters.csv_files import Dialect
from tasks.core.errors import PreflightError

COLUMNS = ("id", "title", "note")
VALUE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


def _read(path: Path, raw: bytes) -> list[list[str]]:
    path.write_bytes(raw)
    return list(csv_files.records(path, COLUMNS))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"id,title,note\n1,A,x\n", [["1", "A", "x"]], id="plain"),
        pytest.param(b"id,title,note\r\n1,A,x\r\n", [["1", "A", "x"]], id="CRLF"),
        pytest.param(b"id,title,note\n1,A,x", [["1", "A", "x"]], id="no last line end"),
        pytest.param(
            b"\xef\xbb\xbfid,title,note\n1,A,x\n", [["1", "A", "x"]], id="byte order mark"
        ),
        pytest.param("id;title;note\n1;Ä,b;x\n".encode("utf-16"), [["1", "Ä,b", "x"]], id="UTF-16"),
        pytest.param(b"id;title;note\n1;A,B;x\n", [["1", "A,B", "x"]], id="semicolons"),
        pytest.param(b"id\ttitle\tnote\n1\tA\tx\n", [["1", "A", "x"]], id="tabs"),
        pytest.param(b'id,title,note\n1,"A\r\nB",x\n', [["1", "A\r\nB", "x"]], id="quoted break"),
        pytest.param(b'id,title,note\n1,"A ""B""",x\n', [["1", 'A "B"', "x"]], id="doubled quotes"),
        pytest.param(b'"id","title","note"\n" 1 ",,\n', [[" 1 ", "", ""]], id="spaces stay"),
        pytest.param(b"note,id,title\nx,1,A\n", [["1", "A", "x"]], id="another order"),
        pytest.param(
            b"id,title,note,,\n1,A,x,,\n", [["1", "A", "x"]], id="cells that hold nothing"
        ),
        pytest.param(
            b"id,title,note\n1,A,x\n\n2,B,\n", [["1", "A", "x"], ["2", "B", ""]], id="blank line"
        ),
        pytest.param(b"id,title,note\n", [], id="a header alone"),
    ],
)
def test_a_spreadsheets_csv_is_read(tmp_path: Path, raw: bytes, expected: list[list[str]]) -> None:
    assert _read(tmp_path / "a.csv", raw) == expected


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        pytest.param(b"", r"is empty: its first line must name id, title, note", id="empty file"),
        pytest.param(b"\n\n", r"is empty", id="blank lines alone"),
        pytest.param(
            b"id,title\n1,A\n", r"wrong header: it lacks note \(expected", id="a column less"
        ),
        pytest.param(
            b"id,title,notes\n", r"lacks note; it has 1 columns that nobody", id="another name"
        ),
        pytest.param(b"id,title,note,note\n", r"it names note more than once", id="a column twice"),
        pytest.param(
            b"1,A,x\n2,B,y\n",
            r"lacks id, title, note; it has 3 columns that nobody",
            id="no header",
        ),
        pytest.param(
            b"id,title,note\n1,A\n",
            r"Record 2 of .* has 2 values instead of 3\. Perhaps",
            id="short",
        ),
        pytest.param(
            b"id,title,note\n1,A,x,y\n", r"Record 2 of .* has 4 values instead of 3", id="long"
        ),
        pytest.param(
            b"id,title,note\n1,\xff\xff,x\n", r"is not UTF-8 somewhere after", id="Latin-1"
        ),
        pytest.param(
            b'id,title,note\n1,A,x\n2,"B,y\n',
            r"cannot be read as CSV after its record 2",
            id="open quote",
        ),
        pytest.param(b"id,title,note\n1,A\x00,x\n", r"NUL|line contains NUL", id="NUL"),
        pytest.param(b"PK\x03\x04\x14\x00", r"wrong header|NUL|not UTF-8", id="an XLSX file"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(
    tmp_path: Path, raw: bytes, sentence: str
) -> None:
    with pytest.raises(PreflightError, match=sentence):
        _read(tmp_path / "a.csv", raw)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"There is no file .*absent\.csv"):
        list(csv_files.records(tmp_path / "absent.csv", COLUMNS))


@pytest.mark.parametrize(
    ("raw", "dialect"),
    [
        pytest.param(b"a,b\n1,2\n", Dialect(",", line_end="\n"), id="plain"),
        pytest.param(b"a,b\r\n1,2\n", Dialect(","), id="the header's line end counts"),
        pytest.param(b'"a\n","b\n"\r\n1,2', Dialect(","), id="breaks in quotes do not"),
        pytest.param(b"a,b", Dialect(",", line_end="\n"), id="no line end"),
        pytest.param(b"a;b;c,d\n", Dialect(";", line_end="\n"), id="most columns"),
        pytest.param(b'a;"b,c,d,e"\n', Dialect(";", line_end="\n"), id="commas in quotes"),
        pytest.param(b'5" size,weight\n', Dialect(",", line_end="\n"), id="a lone quote"),
        pytest.param(b"a\tb\n", Dialect("\t", line_end="\n"), id="tabs"),
        pytest.param(b"alone\n", Dialect(",", line_end="\n"), id="one column"),
        pytest.param(b"\xef\xbb\xbfa,b\r\n", Dialect(",", bom=True), id="a mark"),
        pytest.param("a;b\r\n".encode("utf-16"), Dialect(";", "utf-16", bom=True), id="UTF-16"),
    ],
)
def test_how_a_file_is_written_is_seen(tmp_path: Path, raw: bytes, dialect: Dialect) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(raw)

    with csv_files.reading(path) as (found, _, _):
        assert found == dialect


def test_header_and_records_come_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\n A ,b,b,,\n1\n\n"2\r\n", 3 ,4,5,6,7\n,,,,\n')

    with csv_files.reading(path) as (_, header, records):
        assert header == [" A ", "b", "b", "", ""]
        assert list(records) == [["1"], ["2\r\n", " 3 ", "4", "5", "6", "7"], ["", "", "", "", ""]]


def test_only_the_delimiters_that_are_allowed_are_tried(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b;c;d\n")

    with csv_files.reading(path, delimiters=(",",)) as (_, header, _):
        assert header == ["a", "b;c;d"]


@pytest.mark.parametrize("raw", [b"", b"\n\r\n", b"\xef\xbb\xbf", b" , ,\n1,2,3\n"])
def test_a_file_without_a_header_is_empty(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(raw)

    with (
        pytest.raises(PreflightError, match="is empty: its first line must name its columns"),
        csv_files.reading(path),
    ):
        pass


def test_a_record_fits_when_nothing_stands_beyond_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    assert csv_files.fitted(path, 2, ["1", "2", " ", ""], 2) == ["1", "2"]
    with pytest.raises(PreflightError, match=r"Record 7 of .* has 1 values instead of 2\."):
        csv_files.fitted(path, 7, ["1"], 2)
    with pytest.raises(PreflightError, match=r"has 3 values instead of 2"):
        csv_files.fitted(path, 7, ["1", "2", "3"], 2)


DIALECTS = st.builds(
    Dialect,
    delimiter=st.sampled_from(",;\t"),
    encoding=st.just("utf-8"),
    bom=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
) | st.builds(
    Dialect,
    delimiter=st.sampled_from(",;\t"),
    encoding=st.just("utf-16"),
    bom=st.just(True),  # noqa: FBT003
    line_end=st.sampled_from(["\n", "\r\n"]),
)


@given(rows=st.lists(st.tuples(VALUE, VALUE, VALUE), max_size=5), dialect=DIALECTS)
def test_a_file_written_in_a_dialect_is_read_in_that_dialect(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], dialect: Dialect
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"

    csv_files.replace(path, COLUMNS, rows, dialect)

    with csv_files.reading(path) as (found, header, records):
        assert found == dialect
        assert header == list(COLUMNS)
        assert [tuple(record) for record in records] == rows


@given(rows=st.lists(st.tuples(VALUE, VALUE, VALUE).filter(any), max_size=5))
def test_what_is_written_is_read_again_value_for_value(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"

    count = csv_files.replace(path, COLUMNS, rows)

    assert count == len(rows)
    assert [tuple(row) for row in csv_files.records(path, COLUMNS)] == rows
    with path.open(encoding="utf-8", newline="") as file:
        assert [tuple(row) for row in csv.reader(file, strict=True)][1:] == rows


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    csv_files.replace(path, COLUMNS, [("1", "A", "x")])

    def broken() -> object:
        yield ("2", "B", "y")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        csv_files.replace(path, COLUMNS, broken())

    assert list(csv_files.records(path, COLUMNS)) == [["1", "A", "x"]]
    assert list(tmp_path.iterdir()) == [path]
