"""How one CSV is written: seen in its bytes, said in words, carried to the file that goes out."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from itertools import filterfalse
from pathlib import Path
from typing import Any

from tasks.core.encodings import (
    MARK,
    WESTERN,
    is_surely_western,
    is_utf8,
    marked,
    unmarked,
)
from tasks.core.errors import PreflightError
from tasks.core.unseen import is_blank

csv.field_size_limit(2**24)  # a cell may hold a whole prompt; a quote that never ends is no cell

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_START = 65_536
_LOOKED_AT = 6  # records that tell the delimiter
_ANNOUNCED = re.compile(r'"?sep=([^\w\r\n"])"?[,;\t|]*[ ]*(\r\n|\n|\r)', re.IGNORECASE)
_ANNOUNCED_AS = "sep="
_NO_CSV = {
    b"PK\x03\x04": "a workbook or another archive",
    b"\xd0\xcf\x11\xe0": "a workbook of older Excel",
    **dict.fromkeys((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"), "a compressed file"),
    b"%PDF": "a PDF",
}
_CALLED = {WESTERN: "Windows-1252"}


@dataclass(frozen=True)
class Dialect:
    """How one CSV is written, so that another can be written in the same way."""

    delimiter: str = ","
    encoding: str = "utf-8"
    bom: bool = False
    line_end: str = "\r\n"
    announced: bool = False
    quotes_all: bool = False

    @property
    def called(self) -> str:
        """Return the encoding's name as people know it."""
        return _CALLED.get(self.encoding, self.encoding.upper())

    @property
    def words(self) -> str:
        """Return what a person is told of it: "semicolons, Windows-1252"."""
        return f"{DELIMITERS.get(self.delimiter, f'parted by {self.delimiter!r}')}, {self.called}"

    @property
    def opening(self) -> str:
        """Return what stands before the header: the byte order mark, and the delimiter's line."""
        mark = MARK if self.bom else ""
        return f"{mark}sep={self.delimiter}{self.line_end}" if self.announced else mark

    @property
    def for_any_letter(self) -> "Dialect":
        """Return the dialect in an encoding that has all characters, and that spreadsheets know."""
        return replace(self, encoding="utf-8", bom=True)

    @classmethod
    def kept(cls, row: Mapping[str, Any]) -> "Dialect":
        """Return the dialect that a row of the ledger's files has."""
        delimiter = row["delimiter"].removeprefix(_ANNOUNCED_AS)
        # Ledgers of before knew UTF-16 by its mark alone.
        encoding = "utf-16-le" if row["encoding"] == "utf-16" else row["encoding"]
        announced = delimiter != row["delimiter"]
        return cls(
            delimiter,
            encoding,
            row["has_bom"],
            row["line_end"],
            announced=announced,
            quotes_all=row["quotes_all"],
        )

    def as_row(self) -> dict[str, Any]:
        """Return what the ledger keeps of it."""
        return {
            "delimiter": _ANNOUNCED_AS * self.announced + self.delimiter,
            "encoding": self.encoding,
            "has_bom": self.bom,
            "line_end": self.line_end,
            "quotes_all": self.quotes_all,
        }


def of(path: Path) -> Dialect:
    """Return a CSV's dialect; raise one sentence for a file that is none.

    The delimiter is the one that the file names, or else the one that makes most of the header;
    one that the next records keep to goes before others.
    """
    with path.open("rb") as file:
        start = file.read(_START)
    if kind := next((kind for magic, kind in _NO_CSV.items() if start.startswith(magic)), None):
        raise PreflightError(f"{path} is no CSV but {kind}: open it and save it as CSV UTF-8.")
    said = marked(start)
    encoding = said or unmarked(start[:4096], path.stat().st_size) or _of_words(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        text = file.read(_START)
    return _delimited(Dialect(encoding=encoding, bom=said is not None), text.lstrip(MARK))


def opening_length(text: str) -> int:
    """Return how many characters stand before the first record: marks, and the delimiter's line."""
    rest = text.lstrip(MARK)
    announced = _ANNOUNCED.match(rest)
    return len(text) - len(rest) + (announced.end() if announced else 0)


def is_empty(record: Iterable[str]) -> bool:
    """Return whether there is nothing in a record but blanks, and delimiters of any kind."""
    return is_blank("".join(record).translate(dict.fromkeys(map(ord, DELIMITERS))))


def _delimited(dialect: Dialect, text: str) -> Dialect:
    """Return a dialect with what the text of a file's beginning shows."""
    announced = _ANNOUNCED.match(text)
    lines = text[announced.end() :] if announced else text
    delimiter = announced[1] if announced else max(DELIMITERS, key=partial(_fit, lines))
    return replace(
        dialect,
        delimiter=delimiter,
        announced=announced is not None,
        line_end=_first_records(lines, delimiter)[1],
        quotes_all=_quotes_all(lines, delimiter),
    )


def _fit(text: str, delimiter: str) -> tuple[bool, bool, int]:
    """Return how well a delimiter cuts the header: the more columns, and the same ones below it."""
    (header, *others), _ = _first_records(text, delimiter)
    is_clean = not any(name.count('"') % 2 for name in header)
    is_kept_to = len(header) > 1 and all(len(each) == len(header) for each in others)
    return is_clean, is_kept_to, len(header)


def _first_records(text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """Return the header and what records follow it at once, and how the header's line ends."""
    lines = StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter)
    found, end = list[list[str]](), "\n"
    try:
        for record in filterfalse(is_empty, reader):
            if not found:
                end = _line_end(*lines[reader.line_num - 1 : reader.line_num + 1])
            found.append(record)
            if len(found) == _LOOKED_AT:
                break
    except csv.Error:
        pass  # whoever reads its records says what is wrong
    return found or [[]], end


def _quotes_all(text: str, delimiter: str) -> bool:
    """Return whether header and first record have every value in quotes."""
    found, quoted = _first_records(text, delimiter)[0][:2], StringIO()
    csv.writer(quoted, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(found)
    return "".join(text.split()).startswith("".join(quoted.getvalue().split()))


def _line_end(line: str = "", following: str = "") -> str:
    """Return how a line ends; CR CR LF, of which the second half is a line, is a slip for CR LF."""
    if line.endswith("\r"):
        return "\r\n" if following == "\r\n" else "\r"
    return "\r\n" if line.endswith("\r\n") else "\n"


def _of_words(path: Path) -> str:
    """Return the encoding of a file that does not say it: UTF-8 where in doubt."""
    for is_in, encoding in ((is_utf8, "utf-8"), (is_surely_western, WESTERN)):
        with path.open("rb") as file:
            if all(is_in(line) for line in file if not line.isascii()):
                return encoding
    return "utf-8"
