"""Kept answers read again, beside the rows that stand: what differs, and as a person sees it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import orjson

from tasks.core.markdown import Markdown, breakable, escape

MOST_SHOWN = 20
CELL = 240
"""Characters of a cell."""
NEAR = 40
"""Characters before the first that differs."""

Shown = Sequence[Mapping[str, object]]


class Kind(StrEnum):
    """What reading its answer again comes to for a target; the values are read by people."""

    SAME = "the same"
    CHANGED = "changed"
    GAINED = "gained rows"
    LOST = "lost rows"
    READABLE = "now readable"
    UNREAD = "now unread: its rows stay"
    BAD = "not usable, as before"
    EDITED = "corrected by a person"
    FOREIGN = "others' rows stand: left"
    REFUSED = "refused by the table: its rows stay"


WRITTEN = (Kind.CHANGED, Kind.GAINED, Kind.LOST, Kind.READABLE)


def kind_of(state: str | None, *, is_usable: bool, before: int | None, after: int | None) -> Kind:
    """Return what became of a target in `state`; its rows are what the two numbers say, or none."""
    if not is_usable:
        return Kind.UNREAD if state in ("written", "empty") else Kind.BAD
    if state == "bad":
        return Kind.READABLE
    if before == after:
        return Kind.SAME
    if before is None:
        return Kind.GAINED
    return Kind.LOST if after is None else Kind.CHANGED


class Example(NamedTuple):
    """One difference, as it stands in a table of Markdown."""

    target_id: str
    kind: Kind
    before: str
    after: str


@dataclass
class Findings:
    """What reading kept answers again comes to; at most so many examples of either sort."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    differing: list[Example] = field(default_factory=list)
    edited: list[Example] = field(default_factory=list)

    @property
    def counted(self) -> list[tuple[Kind, int]]:
        """Return how many targets there are of each kind that there is."""
        return [(kind, self.kinds[kind]) for kind in Kind if self.kinds[kind]]

    def room(self, kind: Kind) -> int:
        """Return how many more examples of a kind there is room for."""
        return MOST_SHOWN - len(self._examples(kind))

    def show(self, example: Example) -> None:
        """Keep an example."""
        self._examples(example.kind).append(example)

    def _examples(self, kind: Kind) -> list[Example]:
        return self.edited if kind is Kind.EDITED else self.differing


def example(target_id: str, kind: Kind, before: Shown, after: Shown | str) -> Example:
    """Return a difference: of the rows only those that differ, of these the columns that do."""
    if isinstance(after, str):
        return Example(escape(target_id), kind, _cell(_said(before, None)), _cell(after))
    gone = [row for row in before if row not in after]
    come = [row for row in after if row not in before]
    columns = _differing(gone, come, is_list=len(before) > 1 or len(after) > 1)
    left, right = _said(gone, columns), _said(come, columns)
    start = _first_difference(left, right)
    return Example(escape(target_id), kind, _cell(left, start), _cell(right, start))


def _differing(gone: Shown, come: Shown, *, is_list: bool) -> list[str]:
    """Return the columns that tell the rows apart; of a list of rows the first one as well."""
    names = list(dict.fromkeys(name for row in (*gone, *come) for name in row))
    differing = [name for name in names if _values(gone, name) != _values(come, name)]
    return list(dict.fromkeys([*names[:is_list], *differing])) if differing else names


def _values(rows: Shown, name: str) -> list[bytes]:
    return sorted(orjson.dumps(row.get(name)) for row in rows)


def _said(rows: Shown, columns: Sequence[str] | None) -> str:
    lines = (
        ", ".join(f"{name}: {_value(row[name])}" for name in columns or row if name in row)
        for row in rows
    )
    return "; ".join(lines) or "no rows"


def _value(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _first_difference(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (one, other) in pairs if one != other), 0)


def _cell(text: str, start: int = 0) -> str:
    """Return a text as it fits into a table's cell, from a little before a place in it."""
    begin = start - NEAR if start > 2 * NEAR else 0
    cut = text[begin : begin + CELL]
    end = " …" if len(text) > begin + CELL else ""
    return Markdown(f"{'… ' if begin else ''}{escape(breakable(cut))}{end}")
