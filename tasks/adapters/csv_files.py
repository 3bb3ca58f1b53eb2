"""CSV as spreadsheets and programs write it, read strictly; files replaced whole or not at all."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TextIO, cast

from tasks.adapters import csv_dialects
from tasks.adapters.csv_dialects import Dialect
from tasks.adapters.whole_files import whole
from tasks.core.errors import PreflightError

_END_OF_DOS = "\x1a"
_UNREADABLE = "\udcff"  # no file has it: what comes of bytes that are not of the encoding
codecs.register_error(
    "unreadable", lambda error: (_UNREADABLE, cast(UnicodeDecodeError, error).end)
)

_USUAL = Dialect()

Cells = list[str]


class EmptyFileError(PreflightError):
    """A CSV has no header."""


@contextmanager
def reading(path: Path) -> Iterator[tuple[Dialect, Cells, Iterator[Cells]]]:
    """Yield a CSV's dialect, its header as it stands, and its records one by one.

    Blank lines are no records; records may be shorter or longer than the header. Raises
    PreflightError with one sentence for a file that cannot be read.
    """
    if not path.is_file():
        raise PreflightError(f"There is no file {path}.")
    dialect = csv_dialects.of(path)
    with opened(path, dialect) as lines:
        reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
        records = _records(path, dialect, reader)
        header = next(records, [])
        if not header:
            raise EmptyFileError(f"{path} is empty: its first line must name its columns.")
        yield dialect, header, records


@contextmanager
def opened(path: Path, dialect: Dialect) -> Iterator[Iterator[str]]:
    """Yield the lines of a CSV's records as they stand, without what is before and after them."""
    with path.open(encoding=dialect.encoding, errors="unreadable", newline="") as file:
        yield _lines(file)


def fitted(path: Path, number: int, record: Cells, width: int) -> Cells:
    """Return a record's `width` values; raise when it has fewer, or more than blank ones beyond."""
    if len(record) < width or any(value.strip() for value in record[width:]):
        raise PreflightError(
            f"Record {number} of {path} has {len(record)} values instead of {width}. Perhaps a"
            " quote is missing before it."
        )
    return record[:width]


def replace(
    path: Path,
    header: Iterable[str],
    records: Iterable[Iterable[object]],
    dialect: Dialect = _USUAL,
) -> int:
    """Write a CSV under a temporary name and put it in place; return the number of records."""
    count = 0
    with whole(path) as part, part.open("w", encoding=dialect.encoding, newline="") as file:
        file.write(dialect.opening)
        writer = csv.writer(
            _Ending(file, dialect.line_end),
            delimiter=dialect.delimiter,
            quoting=csv.QUOTE_ALL if dialect.quotes_all else csv.QUOTE_MINIMAL,
        )
        writer.writerow(header)
        for count, record in enumerate(records, start=1):  # noqa: B007 - the last one counts
            writer.writerow(record)
    return count


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines from the header on, and without the Ctrl-Z with which DOS ends a file."""
    first = file.readline()
    for line in chain([first[csv_dialects.opening_length(first) :]], file):
        # Only the last line has no end of its own.
        yield line.rstrip(_END_OF_DOS) if line.endswith(_END_OF_DOS) else line


class _Ending:
    """A file whose records end as another file's do.

    The writer itself ends them with CR LF: then it quotes every value that holds one of the two.
    """

    def __init__(self, file: TextIO, line_end: str) -> None:
        self._file = file
        self._line_end = line_end

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + self._line_end)


def _records(path: Path, dialect: Dialect, reader: Iterator[Cells]) -> Iterator[Cells]:
    """Yield the records, the header being the first; say in a sentence what goes wrong on the way.

    Every value is looked at for NUL, which no database takes.
    """
    number, width = 0, 0
    try:
        for record in reader:
            if _is_record(record, width):
                number, width = number + 1, width or len(record)
                text = "".join(record)
                if _UNREADABLE in text:
                    raise PreflightError(_not_in_encoding(path, dialect, number))
                if "\0" in text:
                    raise PreflightError(
                        f"Record {number} of {path} holds a NUL character; remove it."
                    )
                yield record
    except csv.Error as error:
        raise PreflightError(
            f"{path} cannot be read as CSV after its record {number}: {error};"
            " mend it and run again."
        ) from None


def _is_record(record: Cells, width: int) -> bool:
    """Return whether a record is more than a blank line; above the header delimiters are blank."""
    if width == 0 or len(record) < min(width, 2):
        return not csv_dialects.is_empty(record)
    return bool(record)


def _not_in_encoding(path: Path, dialect: Dialect, number: int) -> str:
    said = f"Record {number} of {path} is not {dialect.called}"
    if dialect.bom or dialect.encoding != "utf-8":
        return f"{said}, which the file's beginning says it is: save it as CSV UTF-8."
    return f"{said}, and what else it may be is not certain: save it as CSV UTF-8."
