"""CSV as spreadsheets and programs write it, read strictly; files replaced whole or not at all."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tasks.adapters.whole_files import whole
from tasks.core.errors import PreflightError

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # one cell may hold a whole prompt

DELIMITERS = (",", ";", "\t")
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8"))

Cells = list[str]


class EmptyFileError(PreflightError):
    """A CSV has no header."""


@dataclass(frozen=True)
class Dialect:
    """How one CSV is written, so that another can be written in the same way."""

    delimiter: str = ","
    encoding: str = "utf-8"
    bom: bool = False
    line_end: str = "\r\n"

    @property
    def codec(self) -> str:
        """Return the codec that takes the byte order mark off and puts it on."""
        return "utf-8-sig" if self.bom and self.encoding == "utf-8" else self.encoding


@contextmanager
def reading(
    path: Path, delimiters: Sequence[str] = DELIMITERS
) -> Iterator[tuple[Dialect, Cells, Iterator[Cells]]]:
    """Yield a CSV's dialect, its header as it stands, and its records one by one.

    Blank lines are no records; records may be shorter or longer than the header. The delimiter is
    the one that makes most of the header. Raises PreflightError with one sentence for a file that
    cannot be read.
    """
    if not path.is_file():
        raise PreflightError(f"There is no file {path}.")
    marked = _marked(path)
    delimiter = max(delimiters, key=lambda each: _fit(path, marked.codec, each))
    with path.open(encoding=marked.codec, newline="") as file:
        lines = _Lines(file)
        records = _records(path, csv.reader(lines, delimiter=delimiter, strict=True))
        header = next(records, [])
        if not any(name.strip() for name in header):
            raise EmptyFileError(f"{path} is empty: its first line must name its columns.")
        yield Dialect(delimiter, marked.encoding, marked.bom, lines.end()), header, records


def fitted(path: Path, number: int, record: Cells, width: int) -> Cells:
    """Return a record's `width` values; raise when it has fewer, or more than blank ones beyond."""
    if len(record) < width or any(value.strip() for value in record[width:]):
        raise PreflightError(
            f"Record {number} of {path} has {len(record)} values instead of {width}. Perhaps a"
            " quote is missing before it."
        )
    return record[:width]


def records(path: Path, columns: Sequence[str]) -> Iterator[Cells]:
    """Yield the records of a CSV that has just these columns, values in the order of `columns`."""
    try:
        with reading(path) as (_, header, found):
            while not header[-1].strip():  # a spreadsheet may end it with cells that hold nothing
                header.pop()
            if sorted(header) != sorted(columns):
                difference = _difference(header, columns)
                raise PreflightError(f"{path} has the wrong header: {difference}.")
            places = [header.index(column) for column in columns]
            for number, record in enumerate(found, start=2):
                values = fitted(path, number, record, len(header))
                yield [values[place] for place in places]
    except EmptyFileError:
        raise PreflightError(
            f"{path} is empty: its first line must name {', '.join(columns)}."
        ) from None


def replace(
    path: Path,
    header: Iterable[str],
    records: Iterable[Iterable[object]],
    dialect: Dialect = Dialect(),
) -> int:
    """Write a CSV under a temporary name and put it in place; return the number of records."""
    count = 0
    with whole(path) as part, part.open("w", encoding=dialect.codec, newline="") as file:
        writer = csv.writer(_Ending(file, dialect.line_end), delimiter=dialect.delimiter)
        writer.writerow(header)
        for count, record in enumerate(records, start=1):  # noqa: B007 - the last one counts
            writer.writerow(record)
    return count


class _Lines:
    """The lines of a file as they stand, and how the last one taken ended."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self._last = line
            yield line

    def end(self) -> str:
        return "\r\n" if self._last.endswith("\r\n") else "\n"


class _Ending:
    """A file whose records end as another file's do.

    The writer itself ends them with CR LF: then it quotes every value that holds one of the two.
    """

    def __init__(self, file: TextIO, line_end: str) -> None:
        self._file = file
        self._line_end = line_end

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + self._line_end)


def _records(path: Path, reader: Iterator[Cells]) -> Iterator[Cells]:
    """Yield the records, the header being the first; say in a sentence what goes wrong on the way.

    Every value is looked at for NUL, which no database takes.
    """
    number = 0
    try:
        for record in reader:
            if record:
                number += 1
                if any("\0" in value for value in record):
                    raise PreflightError(
                        f"Record {number} of {path} holds a NUL character; remove it."
                    )
                yield record
    except csv.Error as error:
        raise PreflightError(
            f"{path} cannot be read as CSV after its record {number}: {error};"
            " mend it and run again."
        ) from None
    except UnicodeError:
        raise PreflightError(
            f"{path} is not UTF-8 somewhere after its record {number}; save it as CSV UTF-8."
        ) from None


def _marked(path: Path) -> Dialect:
    """Return what the first bytes of a file say of its dialect."""
    with path.open("rb") as file:
        start = file.read(3)
    found = (Dialect(encoding=name, bom=True) for bom, name in _BOMS if start.startswith(bom))
    return next(found, Dialect())


def _fit(path: Path, codec: str, delimiter: str) -> tuple[bool, int]:
    """Return how well a delimiter cuts the header: whether no quotes are cut, and the columns."""
    try:
        with path.open(encoding=codec, newline="") as file:
            header = next(filter(None, csv.reader(file, delimiter=delimiter)), [])
    except (csv.Error, UnicodeError):
        return False, 0
    return not any(name.count('"') % 2 for name in header), len(header)


def _difference(header: Cells, columns: Sequence[str]) -> str:
    parts = []
    if missing := [column for column in columns if column not in header]:
        parts.append(f"it lacks {', '.join(missing)}")
    if unknown := sum(name not in columns for name in header):
        parts.append(f"it has {unknown} columns that nobody knows")
    if twice := sorted({name for name in header if name in columns and header.count(name) > 1}):
        parts.append(f"it names {', '.join(twice)} more than once")
    return f"{'; '.join(parts)} (expected: {', '.join(columns)})"
