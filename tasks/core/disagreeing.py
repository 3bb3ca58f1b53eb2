"""The targets that two versions read most differently, row by row with the quotes of both."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from tasks.core.comparing import EVIDENCE, Differing, Kind, Pair, Row, differing, keyed, quotes_of
from tasks.core.highlight import excerpts
from tasks.core.markdown import Markdown, escape

MOST_SHOWN = 20
_ROWS_SHOWN, _LONGEST = 8, 80


class Disagreement(NamedTuple):
    """A target that both read differently: how much of it, what in a word, and row by row."""

    name: Markdown
    target_id: Markdown
    weight: float
    said: str
    rows: Sequence[Markdown]


def strongest(pairs: Sequence[Pair], key: str) -> list[Disagreement]:
    """Return the targets that both read most differently, the strongest first."""
    found = (_disagreement(pair, key) for pair in pairs)
    told = [each for each in found if each is not None]
    return sorted(told, key=lambda each: (-each.weight, each.target_id))[:MOST_SHOWN]


def _disagreement(pair: Pair, key: str) -> Disagreement | None:
    """Return where both differ: one that only one can use above all, else by the share of rows."""
    name, target_id = escape(_short(pair.name)), escape(pair.target_id)
    if pair.first.bad and pair.second.bad:
        return None
    if pair.first.bad or pair.second.bad:
        which = "the first" if pair.first.bad else "the second"
        others = max(len(pair.first.rows), len(pair.second.rows))
        said = f"{which} is bad ({pair.first.bad or pair.second.bad}), the other has {others} rows"
        return Disagreement(name, target_id, 1.0 + others, said, ())
    rows = list(differing(pair, key))
    if not rows:
        return None
    counts = Counter(each.kind for each in rows)
    names = {*keyed(pair.first.rows, key), *keyed(pair.second.rows, key)}
    weight = (counts[Kind.GAINED] + counts[Kind.LOST] + counts[Kind.CHANGED] / 2) / len(names)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
    shown = [_shown(each, pair) for each in rows[:_ROWS_SHOWN]]
    if len(rows) > _ROWS_SHOWN:
        shown.append(Markdown(f"and {len(rows) - _ROWS_SHOWN} more"))
    return Disagreement(name, target_id, weight, said, shown)


def _shown(row: Differing, pair: Pair) -> Markdown:
    """Return one differing row in a line: what differs, and the quotes of both in their texts."""
    told = [f"**{row.kind}** {escape(row.key)}"]
    for column in row.columns:
        if column != EVIDENCE:
            values = (escape(_value(each.get(column))) for each in (row.first, row.second))
            told.append(f"{escape(column)}: {' → '.join(values)}")
    quoted = [
        _quoted(side.text, each)
        for side, each in ((pair.first, row.first), (pair.second, row.second))
        if quotes_of(each)
    ]
    return Markdown("; ".join([*told, *([" / ".join(quoted)] if quoted else [])]))


def _quoted(text: str, row: Row) -> Markdown:
    places = ((text.find(quote), len(quote)) for quote in quotes_of(row))
    return Markdown(f"“{excerpts(text, ((at, at + size) for at, size in places if at >= 0))}”")


def _value(value: object) -> str:
    return _short(value if isinstance(value, str) else orjson.dumps(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
