"""A zoo of CSVs as people really save them: each is read as its plain twin, or refused in words."""

import codecs
import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters import csv_files
from tasks.adapters.csv_dialects import Dialect
from tasks.core.errors import PreflightError

TWIN = [["id", "title"], ["1", "Déjà Vu, “live”"], ["2", 'Straße "B"\nNoël']]


def text(delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Return the plain twin as a program writes it."""
    file = StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(TWIN)  # type: ignore[arg-type]
    return file.getvalue()


PLAIN = text()
BOM = "\N{BYTE ORDER MARK}"

ZOO = {
    "plain": PLAIN.encode(),
    "semicolons": text(";").encode(),
    "tabs": text("\t").encode(),
    "bars": text("|").encode(),
    "CRLF": text(end="\r\n").encode(),
    "CR, as old Macintoshes": text(end="\r").encode(),
    "CR CR LF, as text mode makes of CRLF": text(end="\r\r\n").encode(),
    "no end of the last line": PLAIN.removesuffix("\n").encode(),
    "every value in quotes": text(quoting=csv.QUOTE_ALL).encode(),
    "sep= with semicolons": f"sep=;\r\n{text(';')}".encode(),
    "sep= with tabs": f"sep=\t\n{text(chr(9))}".encode(),
    "sep= in quotes": f'"sep=;"\n{text(";")}'.encode(),
    "SEP= of a rare delimiter after a mark": f"{BOM}SEP=^\n{text('^')}".encode(),
    "sep= saved again with commas": f"sep=,,\n{PLAIN}".encode(),
    "a mark": f"{BOM}{PLAIN}".encode(),
    "two marks": f"{BOM}{BOM}{PLAIN}".encode(),
    "UTF-16 of Windows": f"{BOM}{PLAIN}".encode("utf-16-le"),
    "UTF-16 of networks": f"{BOM}{PLAIN}".encode("utf-16-be"),
    "UTF-16 with two marks": f"{BOM}{BOM}{PLAIN}".encode("utf-16-le"),
    "UTF-16 of Windows without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 of networks without a mark": PLAIN.encode("utf-16-be"),
    "UTF-16 with sep=": f"{BOM}sep=;\r\n{text(';')}".encode("utf-16-le"),
    "UTF-32": f"{BOM}{PLAIN}".encode("utf-32-le"),
    "UTF-32 of networks": f"{BOM}{PLAIN}".encode("utf-32-be"),
    "UTF-32 of Windows without a mark": PLAIN.encode("utf-32-le"),
    "UTF-32 of networks without a mark": PLAIN.encode("utf-32-be"),
    "Windows-1252": PLAIN.encode("cp1252"),
    "Windows-1252 with semicolons": text(";", "\r\n").encode("cp1252"),
    "blank first lines": f"\n  \n\t\n{PLAIN}".encode(),
    "first lines of delimiters alone": f",,\r\n;;\n{PLAIN}".encode(),
    "blank lines inside": PLAIN.replace("\n2", "\n\n  \n2").encode(),
    "Ctrl-Z at the end": f"{PLAIN}\x1a".encode(),
    "Ctrl-Z without a line end": f"{PLAIN.removesuffix(chr(10))}\x1a\x1a".encode(),
    "Ctrl-Z on a line of its own": f"{PLAIN}\x1a\r\n".encode(),
}


@pytest.mark.parametrize("raw", ZOO.values(), ids=ZOO)
def test_an_odd_file_is_read_as_its_plain_twin(tmp_path: Path, raw: bytes) -> None:
    path, again = tmp_path / "zoo.csv", tmp_path / "again.csv"
    path.write_bytes(raw)

    with csv_files.reading(path) as (dialect, header, records):
        assert [header, *records] == TWIN
    csv_files.replace(again, TWIN[0], TWIN[1:], dialect)

    with csv_files.reading(again) as (written, header, records):
        assert [header, *records] == TWIN
        assert written == dialect


UNCERTAIN = (
    "Record 3 of zoo.csv is not UTF-8, and what else it may be is not certain: save it as CSV"
    " UTF-8."
)
FALSE = (
    "Record 3 of zoo.csv is not {}, which the file's beginning says it is: save it as CSV UTF-8."
)
REFUSED = {
    "nothing": (b"", "is empty: its first line must name its columns."),
    "a mark alone": (codecs.BOM_UTF8, "is empty: its first line must name its columns."),
    "a mark of UTF-16 alone": (
        codecs.BOM_UTF16_BE,
        "is empty: its first line must name its columns.",
    ),
    "blank lines alone": (b"\n \r\n,,\n", "is empty: its first line must name its columns."),
    "a workbook": (
        b"PK\x03\x04\x14\x00",
        "is no CSV but a workbook or another archive: open it and save it as CSV UTF-8.",
    ),
    "a workbook of older Excel": (
        b"\xd0\xcf\x11\xe0\xa1\xb1",
        "is no CSV but a workbook of older Excel: open it and save it as CSV UTF-8.",
    ),
    "a compressed file": (
        b"BZh91AY",
        "is no CSV but a compressed file: open it and save it as CSV UTF-8.",
    ),
    "an open quote": (
        b'id,title\n1,A\n2,"B\n',
        "cannot be read as CSV after its record 2: unexpected end of data; mend it and run again.",
    ),
    "letters after a quote": (
        b'id,title\n1,"A"B\n',
        "cannot be read as CSV after its record 1: ',' expected after '\"'; mend it and run again.",
    ),
    "NUL": (b"id,title\n1,A\n2,B\0\n", "Record 3 of zoo.csv holds a NUL character; remove it."),
    "half a letter of UTF-16": (
        f"{BOM}id,title\n1,A\n".encode("utf-16-le") + b"2",
        FALSE.format("UTF-16-LE"),
    ),
    "a mark that lies": (
        codecs.BOM_UTF8 + b"id,title\n1,A\n2,Caf\xe9\n",
        FALSE.format("UTF-8"),
    ),
    **{
        f"{codec}: {word}": (
            f"id,title\n1,A\n2,{word}\n".encode(codec),
            UNCERTAIN,
        )
        for codec, words in {
            "cp1250": "Dvořák Bedřich Łódź Gdańsk Petőfi Petrović Čapek Česká Śląsk Mănescu",
            "cp1251": "Россия не",
            "cp1253": "Βαγγέλης",
            "cp1254": "Barış Şımarık",  # noqa: RUF001
            "cp1257": "Šiauliai",
            "mac_roman": "Beyoncé España Größe",
            "cp850": "Beyoncé Größe España",
            "cp932": "日本 ｱｲｳ",
            "gbk": "邓丽君",
            "euc_kr": "서울",
        }.items()
        for word in words.split()
    },
    "UTF-8 and Windows-1252 in one file": (
        "id,title\n1,Café\n2,".encode() + b"Caf\xe9\n",
        UNCERTAIN,
    ),
}


@pytest.mark.parametrize(("raw", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, raw: bytes, said: str
) -> None:
    path = tmp_path / "zoo.csv"
    path.write_bytes(raw)

    with pytest.raises(PreflightError) as raised, csv_files.reading(path) as (_, _, records):
        list(records)

    expected = said if said.startswith("Record") else f"zoo.csv {said}"
    assert str(raised.value).replace(f"{tmp_path}/", "") == expected


WESTERN = st.sampled_from(
    ["Beyoncé", "Crüe", "Niño", "très", "pièce", "Søren", "Håkan", "perchè", "João", "Canções"]
) | st.sampled_from(["Größe", "cœur", "Anaïs", "Noël", "più", "5€", "“live”", "Où", "¿Qué?", "ÇA"])
ASCII = st.text(st.characters(max_codepoint=0x7F, exclude_characters="\0"), max_size=6)
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
DIALECTS = st.builds(
    Dialect,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]),
    bom=st.just(True),  # noqa: FBT003
    line_end=ENDS,
    announced=st.booleans(),
) | st.builds(
    Dialect,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "cp1252"]),
    line_end=ENDS,
    announced=st.booleans(),
)


def _tables(value: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str, str]]]:
    return st.lists(st.tuples(value, value, value), max_size=4)


@st.composite
def written(draw: st.DrawFn) -> tuple[Dialect, list[tuple[str, str, str]]]:
    """Return a table and a dialect that is said to be supported for it."""
    dialect = draw(DIALECTS)
    if dialect.encoding == "cp1252":  # at least one letter tells, or it would be ASCII
        return dialect, [("", "é", ""), *draw(_tables(WESTERN | ASCII))]
    if dialect.bom or dialect.encoding == "utf-8":
        return dialect, draw(_tables(ANY))
    return dialect, draw(_tables(ASCII | WESTERN))


@given(
    table=written(),
    blank=st.sampled_from(["", "\n", " \n", ",,\n"]),
    marks=st.integers(0, 1),
    end=st.sampled_from(["", "\x1a", "\n"]),
)
def test_any_table_in_any_dialect_with_any_oddity_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[Dialect, list[tuple[str, str, str]]],
    blank: str,
    marks: int,
    end: str,
) -> None:
    dialect, rows = table
    path = tmp_path_factory.mktemp("zoo") / "a.csv"
    header = ["id", "title", "note"]
    csv_files.replace(path, header, rows, dialect)
    with path.open(encoding=dialect.encoding, newline="") as file:
        text = file.read().removeprefix(dialect.opening)
    opening = dialect.opening if dialect.announced else f"{dialect.opening}{blank}"
    odd = BOM * (marks and dialect.bom) + opening + text + end.replace("\n", dialect.line_end)
    path.write_bytes(odd.encode(dialect.encoding))

    with csv_files.reading(path) as (found, names, records):
        assert found == dialect
        assert names == header
        assert [tuple(record) for record in records] == rows
