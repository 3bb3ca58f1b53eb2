"""How a CSV is written is seen; what is written is read again; files are replaced whole."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters import csv_files
from tasks.adapters.csv_dialects import Dialect
from tasks.core.errors import PreflightError

COLUMNS = ("id", "title", "note")
VALUE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


def _records(path: Path) -> list[list[str]]:
    with csv_files.reading(path) as (_, _, records):
        return list(records)


@pytest.mark.parametrize(
    ("raw", "dialect"),
    [
        pytest.param(b"a,b\n1,2\n", Dialect(",", line_end="\n"), id="plain"),
        pytest.param(b"a,b\r\n1,2\n", Dialect(","), id="the header's line end counts"),
        pytest.param(b'"a\n","b\n"\r\n1,2', Dialect(","), id="breaks in quotes do not"),
        pytest.param(b"a,b", Dialect(",", line_end="\n"), id="no line end"),
        pytest.param(b"a;b;c,d\n", Dialect(";", line_end="\n"), id="most columns"),
        pytest.param(
            b"a,b,c;d\n1;2\n", Dialect(";", line_end="\n"), id="most columns that records have"
        ),
        pytest.param(b'a;"b,c,d,e"\n', Dialect(";", line_end="\n"), id="commas in quotes"),
        pytest.param(b'5" size,weight\n', Dialect(",", line_end="\n"), id="a lone quote"),
        pytest.param(b"a\tb\n", Dialect("\t", line_end="\n"), id="tabs"),
        pytest.param(b"a,b\rc,d\r", Dialect(line_end="\r"), id="CR"),
        pytest.param(b"sep=;\r\na;b\r\n", Dialect(";", announced=True), id="sep="),
        pytest.param(b"alone\n", Dialect(",", line_end="\n"), id="one column"),
        pytest.param(b"\xef\xbb\xbfa,b\r\n", Dialect(",", bom=True), id="a mark"),
        pytest.param("a;b\r\n".encode("utf-16"), Dialect(";", "utf-16-le", bom=True), id="UTF-16"),
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


def test_a_record_fits_when_nothing_stands_beyond_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    assert csv_files.fitted(path, 2, ["1", "2", " ", ""], 2) == ["1", "2"]
    with pytest.raises(PreflightError, match=r"Record 7 of .* has 1 values instead of 2\."):
        csv_files.fitted(path, 7, ["1"], 2)
    with pytest.raises(PreflightError, match=r"has 3 values instead of 2"):
        csv_files.fitted(path, 7, ["1", "2", "3"], 2)


@given(rows=st.lists(st.tuples(VALUE, VALUE, VALUE).filter(any), max_size=5))
def test_what_is_written_is_read_again_value_for_value(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"

    count = csv_files.replace(path, COLUMNS, rows)

    assert count == len(rows)
    assert [tuple(row) for row in _records(path)] == rows
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

    assert _records(path) == [["1", "A", "x"]]
    assert list(tmp_path.iterdir()) == [path]
