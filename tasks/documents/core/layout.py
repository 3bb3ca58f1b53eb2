"""Which cell of a record is which field, also where an append has other columns than the header.

A program that appends a table without its header writes that table's own columns: a row may lack
a column at the end or in the middle, or hold one that the header does not name. Times, statuses,
sizes and files can be told by what they look like; everything else is known by its place only.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

from tasks.documents.core.sources import FIELDS, ResultsTable, clean, positions
from tasks.documents.core.timestamps import instant

Fields = dict[str, str]

MANY_READINGS = "many_readings"
NO_READING = "no_reading"
SHIFTED = "shifted"

STATUSES = frozenset(
    {"success", "failed", "failure", "error", "truncated", "incomplete", "skipped", "pending"}
)
_MOST_READINGS = 2000
_NUMBER = re.compile(r"\d+(\.\d+)?")
_FILE = re.compile(r"\S+\.[A-Za-z]\w{0,7}")


def _is_status(cell: str) -> bool:
    return cell.lower() in STATUSES


def _is_size(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _is_file(cell: str) -> bool:
    return _FILE.fullmatch(cell) is not None


def _is_time(cell: str) -> bool:
    return instant(cell) is not None


def _is_moment(cell: str) -> bool:
    return bool(cell) and not _is_size(cell) and _is_time(cell)


# The cheapest first: a reading is given up at the first cell that does not fit.
_KINDS: dict[str, Callable[[str], bool]] = {
    "status": _is_status,
    "size": _is_size,
    "response_file": _is_file,
    "prompt_file": _is_file,
    "timestamp": _is_time,
}
# What no cell of a kind can be, but for the status, of which nobody knows all words.
_OTHERS: dict[str, tuple[Callable[[str], bool], ...]] = {
    "timestamp": (_is_status, _is_file),
    "size": (_is_status, _is_file, _is_moment),
    "response_file": (_is_status,),
    "prompt_file": (),
}


@dataclass(frozen=True)
class Layout:
    """Where the fields of one CSV stand, and which columns can be told by their cells."""

    source: ResultsTable
    header: list[str]
    columns: dict[str, tuple[int, ...]]
    kinds: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, source: ResultsTable, header: list[str]) -> "Layout":
        """Return the layout that a header gives to its CSV."""
        names = clean(header)
        columns = positions(source.headings, names, FIELDS)
        sizes = tuple(i for i, name in enumerate(names) if name.endswith("size_bytes"))
        places = columns | {"size": sizes}
        return cls(source, header, columns, tuple((k, at) for k in _KINDS for at in places[k]))

    def read(self, record: list[str]) -> tuple[Fields, str | None]:
        """Return a record's fields and None, or what can be shown of them and why they are none."""
        cells = _without_blank_end([cell.strip() for cell in record], len(self.header))
        straight = pick(self.columns, cells)
        if len(cells) == len(self.header):
            return straight, SHIFTED if self._is_shifted(cells) else None
        found = self._readings(cells)
        if found is None or len(found) > 1:
            return straight, MANY_READINGS
        return (found[0], None) if found else (straight, NO_READING)

    def _is_shifted(self, cells: list[str]) -> bool:
        """Return whether a cell is of another column's kind, never mind what else may be odd."""
        return any(
            not _is_status(cells[at]) and _is_time(cells[at])
            if kind == "status"
            else any(other(cells[at]) for other in _OTHERS[kind])
            for kind, at in self.kinds
        )

    def _readings(self, cells: list[str]) -> list[Fields] | None:
        """Return all different ways to read a row of another width; None when they are too many."""
        width = len(self.header)
        if comb(max(width, len(cells)), abs(width - len(cells))) > _MOST_READINGS:
            return None
        found: list[Fields] = []
        for reading in _alignments(cells, width):
            if self._fits(reading):
                fields = pick(self.columns, reading)
                if self._is_whole(fields) and fields not in found:
                    found.append(fields)
        return found

    def _fits(self, cells: list[str]) -> bool:
        return all(not cells[at] or _KINDS[kind](cells[at]) for kind, at in self.kinds)

    def _is_whole(self, fields: Fields) -> bool:
        """Return whether all that a row must have is there; what failed left no file."""
        failed = fields["status"].lower() not in {"", "success"}
        return all(
            any(fields[field] for field in group) or (failed and group == ("response_file",))
            for group in self.source.required
        )


def pick(columns: dict[str, tuple[int, ...]], cells: list[str]) -> Fields:
    """Return each field's cell, the first that is not blank where several columns may hold it."""
    return {
        field: next(filter(None, (cells[at].strip() for at in places if at < len(cells))), "")
        for field, places in columns.items()
    }


def _without_blank_end(cells: list[str], width: int) -> list[str]:
    end = len(cells)
    while end > width and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _alignments(cells: list[str], width: int) -> Iterator[list[str]]:
    """Yield every way to leave out columns of the header, or cells of the record."""
    if len(cells) < width:
        for present in combinations(range(width), len(cells)):
            yield _spread(zip(present, cells, strict=True), width)
    else:
        for kept in combinations(cells, width):
            yield list(kept)


def _spread(placed: Iterable[tuple[int, str]], width: int) -> list[str]:
    spread = [""] * width
    for at, cell in placed:
        spread[at] = cell
    return spread
