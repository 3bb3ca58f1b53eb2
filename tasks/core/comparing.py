"""Two versions beside each other: what each made of the same targets, and where they differ."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from tasks.core.identity import same_name
from tasks.core.intervals import Interval, difference, share

Row = Mapping[str, Any]
EVIDENCE = "evidence"
_LONG = 16
"""Numbers in a list that is a vector, and nothing to compare word by word."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one version made of a target: rows, or why its answer cannot be used."""

    text: str
    bad: str = ""
    rows: Sequence[Row] = ()
    quotes: int = 0
    placed: int = 0


class Pair(NamedTuple):
    """One target with both versions' sides, under the name that people call it by."""

    target_id: str
    name: str
    first: Side
    second: Side


class Kind(StrEnum):
    """What became of a row from the first version to the second."""

    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"


class Differing(NamedTuple):
    """A row that one version has and the other has not, or has otherwise."""

    kind: Kind
    key: str
    first: Row
    second: Row
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """One version's numbers over all targets; `placed` and `proven` are None without quotes."""

    bad: Interval
    reasons: Sequence[tuple[str, int]]
    rows_per_target: float | None
    placed: float | None
    proven: float | None


class Agreement(NamedTuple):
    """How often rows that both have hold the same in a column; numbers, how far they are apart."""

    column: str
    rows: int
    same: float
    apart: float | None


class Word(NamedTuple):
    """A word of a closed vocabulary: in how many of the rows that both have each says it."""

    column: str
    word: str
    first: int
    second: int
    both: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that two versions' sides of the same targets come to."""

    targets: int
    first: Figures
    second: Figures
    difference: Interval
    both_usable: int
    matched: int
    counted: Mapping[Kind, int]
    agreements: Sequence[Agreement]
    words: Sequence[Word]


def compare(pairs: Sequence[Pair], key: str, vocabularies: Iterable[str]) -> Comparison:
    """Return what both versions come to; rows go together by their key, without one by place."""
    bad = Counter((bool(pair.first.bad), bool(pair.second.bad)) for pair in pairs)
    usable = [pair for pair in pairs if not pair.first.bad and not pair.second.bad]
    matched = [two for pair in usable for two in _matched(pair, key)]
    counted = Counter(each.kind for pair in usable for each in differing(pair, key))
    return Comparison(
        targets=len(pairs),
        first=_figures([pair.first for pair in pairs]),
        second=_figures([pair.second for pair in pairs]),
        difference=difference(
            bad[True, True], bad[True, False], bad[False, True], bad[False, False]
        ),
        both_usable=len(usable),
        matched=len(matched),
        counted={kind: counted[kind] for kind in Kind},
        agreements=[_agreement(column, matched) for column in _columns(matched, key)],
        words=[word for column in vocabularies for word in _words(column, matched)],
    )


def _figures(sides: Sequence[Side]) -> Figures:
    usable = [side for side in sides if not side.bad]
    rows = [row for side in usable for row in side.rows]
    quotes = sum(side.quotes for side in usable)
    with_evidence = [row for row in rows if EVIDENCE in row]
    return Figures(
        bad=share(len(sides) - len(usable), len(sides)),
        reasons=Counter(side.bad for side in sides if side.bad).most_common(),
        rows_per_target=len(rows) / len(usable) if usable else None,
        placed=sum(side.placed for side in usable) / quotes if quotes else None,
        proven=sum(map(bool, map(quotes_of, with_evidence))) / len(with_evidence)
        if with_evidence
        else None,
    )


def keyed(rows: Sequence[Row], key: str) -> dict[str, Row]:
    """Return a target's rows by what tells them apart: their key, or their place."""
    found: dict[str, Row] = {}
    for place, row in enumerate(rows, 1):
        found.setdefault(same_name(str(row.get(key))) if key else str(place), row)
    return found


def _matched(pair: Pair, key: str) -> Iterator[tuple[Row, Row]]:
    seconds = keyed(pair.second.rows, key)
    for name, row in keyed(pair.first.rows, key).items():
        if name in seconds:
            yield row, seconds[name]


def differing(pair: Pair, key: str) -> Iterator[Differing]:
    """Yield the rows of a target that are not the same in both; numbers alone change none."""
    firsts, seconds = keyed(pair.first.rows, key), keyed(pair.second.rows, key)
    for name, row in firsts.items():
        if name not in seconds:
            yield Differing(Kind.LOST, name, row, {})
        elif changed := tuple(_changed(row, seconds[name], key)):
            yield Differing(Kind.CHANGED, name, row, seconds[name], changed)
    for name, row in seconds.items():
        if name not in firsts:
            yield Differing(Kind.GAINED, name, {}, row)


def _changed(first: Row, second: Row, key: str) -> Iterator[str]:
    for column in dict.fromkeys([*first, *second]):
        one, other = first.get(column), second.get(column)
        is_told = column != key and not _is_number(one) and not _is_number(other)
        if is_told and not _is_vector(one or other) and not _is_same(column, first, second):
            yield column


def _is_same(column: str, first: Row, second: Row) -> bool:
    if column == EVIDENCE:
        return sorted(quotes_of(first)) == sorted(quotes_of(second))
    return _plain(first.get(column)) == _plain(second.get(column))


def _plain(value: object) -> object:
    """Return a value by which two are the same: the order of a list's words tells nothing."""
    if isinstance(value, list | tuple):
        return sorted(orjson.dumps(each) for each in value)
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and len(value) > _LONG and all(map(_is_number, value))


def _columns(matched: Sequence[tuple[Row, Row]], key: str) -> list[str]:
    """Return the columns that there is something to say of."""
    found = dict.fromkeys(
        column
        for two in matched
        for row in two
        for column, value in row.items()
        if column != key and value is not None and not _is_vector(value)
    )
    return list(found)


def _agreement(column: str, matched: Sequence[tuple[Row, Row]]) -> Agreement:
    same = sum(_is_same(column, *two) for two in matched)
    apart = [
        abs(first[column] - second[column])
        for first, second in matched
        if _is_number(first.get(column)) and _is_number(second.get(column))
    ]
    far = sum(apart) / len(apart) if apart else None
    return Agreement(column, len(matched), same / len(matched), far)


def _words(column: str, matched: Sequence[tuple[Row, Row]]) -> list[Word]:
    firsts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for first, second in matched:
        one, other = _said(first.get(column)), _said(second.get(column))
        firsts.update(one)
        seconds.update(other)
        both.update(one & other)
    said = sorted(firsts | seconds, key=lambda word: (-firsts[word] - seconds[word], word))
    return [Word(column, word, firsts[word], seconds[word], both[word]) for word in said]


def _said(value: object) -> set[str]:
    listed = value if isinstance(value, list | tuple) else [value]
    return {str(each) for each in listed if each is not None}


def quotes_of(row: Row) -> list[str]:
    """Return the words of the text that a row's evidence quotes."""
    evidence = row.get(EVIDENCE)
    support = evidence.get("support") if isinstance(evidence, Mapping) else None
    if not isinstance(support, list):
        return []
    return [str(each.get("quote", "")) for each in support if isinstance(each, Mapping)]


def verdict(first: str, second: str, found: Comparison, *, is_random: bool) -> str:
    """Return what the comparison says of both in one sentence, and no more than its interval."""
    if not found.targets:
        return "No target was compared, so nothing can be said."
    one, other = f"{found.first.bad.value:.1%}", f"{found.second.bad.value:.1%}"
    apart, where = found.difference, "" if is_random else " chosen for their doubt"
    of = f"{found.targets:,} targets{where}"
    between = f"{_points(apart.low)} to {_points(apart.high)}, 95 %"
    if apart.low <= 0 <= apart.high:
        return (
            f"Which of {first} and {second} fails less often cannot be told from {of}: {one} and"
            f" {other} are bad, and the second's difference may be {between}."
        )
    word = "more" if apart.value > 0 else "less"
    return f"{second} fails {word} often than {first}: {other} against {one} of {of} ({between})."


def _points(value: float) -> str:
    return f"{abs(100 * value):.1f} points {'more' if value > 0 else 'fewer'}"
