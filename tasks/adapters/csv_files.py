"""CSV as spreadsheets write it, read strictly; and files replaced as a whole or not at all."""

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasks.core.errors import PreflightError

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # one cell may hold a whole prompt

_DELIMITERS = (",", ";", "\t")
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

Record = list[str]


def records(path: Path, columns: Sequence[str]) -> Iterator[Record]:
    """Yield a CSV's records with their values in the order of `columns`.

    Read are commas, semicolons or tabs, with or without a byte order mark, quoted line breaks as
    they are. Raises PreflightError with one sentence for a file that is not what it should be.
    """
    if not path.is_file():
        raise PreflightError(f"There is no file {path}.")
    delimiter, header = _header(path, columns)
    places = [header.index(column) for column in columns]
    for number, record in _numbered(path, delimiter):
        if number == 1 or not record:
            continue
        yield _picked(path, number, record, len(header), places)


def replace(
    path: Path,
    header: Iterable[str],
    records: Iterable[Iterable[object]],
    line_end: str = "\r\n",
) -> int:
    """Write a CSV under a temporary name and put it in place; return the number of records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    count = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        # With CR LF the writer quotes every value that holds one of them.
        writer = csv.writer(file, lineterminator=line_end)
        writer.writerow(header)
        for count, record in enumerate(records, start=1):  # noqa: B007 - the last number counts
            writer.writerow(record)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return count


def _header(path: Path, columns: Sequence[str]) -> tuple[str, Record]:
    """Return the delimiter and the header; raise when no delimiter makes it the right one."""
    found = {delimiter: _first(path, delimiter) for delimiter in _DELIMITERS}
    for delimiter, header in found.items():
        if sorted(header) == sorted(columns):
            return delimiter, header
    header = max(found.values(), key=len)
    if not any(header):
        raise PreflightError(f"{path} is empty: its first line must name {', '.join(columns)}.")
    raise PreflightError(f"{path} has the wrong header: {_difference(header, columns)}.")


def _difference(header: Record, columns: Sequence[str]) -> str:
    parts = []
    if missing := [column for column in columns if column not in header]:
        parts.append(f"it lacks {', '.join(missing)}")
    if unknown := [repr(name) for name in header if name not in columns]:
        parts.append(f"it has {', '.join(unknown)}, which nobody knows")
    if twice := sorted({name for name in header if name in columns and header.count(name) > 1}):
        parts.append(f"it names {', '.join(twice)} more than once")
    return f"{'; '.join(parts)} (expected: {', '.join(columns)})"


def _first(path: Path, delimiter: str) -> Record:
    """Return the first record; a spreadsheet may end it with cells that hold nothing."""
    _, record = next(_numbered(path, delimiter, strict=False), (1, []))
    while record and not record[-1].strip():
        record.pop()
    return record


def _picked(path: Path, number: int, record: Record, width: int, places: Sequence[int]) -> Record:
    if len(record) < width or any(record[width:]):
        raise PreflightError(
            f"Record {number} of {path} has {len(record)} values instead of {width}:"
            f" {_shown(record)}. Perhaps a quote is missing before it."
        )
    picked = [record[place] for place in places]
    if any("\0" in value for value in picked):
        raise PreflightError(f"Record {number} of {path} holds a NUL character; remove it.")
    return picked


def _numbered(path: Path, delimiter: str, *, strict: bool = True) -> Iterator[tuple[int, Record]]:
    """Yield every record with its number, the header's being 1."""
    number = 0
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            for number, record in enumerate(
                csv.reader(file, delimiter=delimiter, strict=strict), 1
            ):
                yield number, record
    except csv.Error as error:
        raise PreflightError(
            f"{path} cannot be read as CSV after its record {number}: {error}."
        ) from None
    except UnicodeError:
        raise PreflightError(
            f"{path} is not UTF-8 somewhere after its record {number}; save it as CSV UTF-8."
        ) from None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return next((name for bom, name in _BOMS if start == bom), "utf-8-sig")


def _shown(record: Record) -> str:
    text = ", ".join(record)
    return text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004 - a line of a message
