"""What a QC report says, computed from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tasks.core.answers import BadReason
from tasks.core.census import Census
from tasks.core.drift import Earlier
from tasks.core.gates import Gate, Measurement, judge
from tasks.core.models import Spending, Totals
from tasks.core.reviewing import PRECISION

PARSE_FAILURES = frozenset(
    {
        BadReason.NOT_JSON,
        BadReason.WRONG_SHAPE,
        BadReason.LOST_ITEMS,
        BadReason.MAX_TOKENS,
        BadReason.UNREADABLE,
    }
)
"""The response was there, but could not be read as what was asked for."""

BAR_WIDTH = 30


class Counted(NamedTuple):
    """How often something was, and its share of all that was counted beside it."""

    name: str
    times: int
    share: float


@dataclass(frozen=True, slots=True)
class Quality:
    """A run, judged."""

    measured: Mapping[str, float | None]
    measurements: Sequence[Measurement]
    failures: Mapping[str, int]
    matches: Sequence[Counted]
    mended: Sequence[Counted]
    dropped: Sequence[Counted]
    cut: int
    totals: Totals
    spending: Spending
    earlier: Mapping[str, Earlier]
    census: Census | None = None

    def before(self, name: str) -> Earlier:
        """Return what a measure was in the last runs of the version."""
        return self.earlier.get(name, Earlier())

    @property
    def judged(self) -> int:
        """Return of how many targets there is an answer that was judged, or none came."""
        return self.totals.written + self.totals.empty + sum(self.totals.bad.values())

    @property
    def passed(self) -> bool:
        """Return whether every gate lets the run through."""
        return all(measured.passed for measured in self.measurements)


@dataclass(frozen=True, slots=True)
class Spread:
    """How the words of a closed vocabulary are spread: rows of label, ours, theirs and shares."""

    column: str
    other: str | None
    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, column: str, other: str | None, counted: Sequence[Mapping[str, Any]]) -> "Spread":
        """Return counted words with their shares."""
        ours = sum(row["ours"] for row in counted) or 1
        theirs = sum(row["theirs"] for row in counted)
        rows = [
            {**row, "our_share": row["ours"] / ours, "their_share": row["theirs"] / (theirs or 1)}
            for row in counted
        ]
        return cls(column, other if theirs else None, rows)

    @property
    def title(self) -> str:
        """Return what a reader sees above it."""
        beside = f", ours / {self.other}" if self.other else ""
        return f"{self.column.replace('_', ' ').capitalize()}{beside}"


def assess(  # noqa: PLR0913, PLR0917 - a run is judged by all of this
    gates: Sequence[Gate],
    measured: Mapping[str, Any],
    measures: Mapping[str, int],
    totals: Totals,
    spending: Spending,
    earlier: Mapping[str, Earlier],
    census: Census | None,
) -> Quality:
    """Return the judgement of a run from the database's measurements and the slices' counts."""
    failures = _under("bad", measures)
    responses = totals.written + totals.empty + sum(totals.bad.values())
    unparseable = sum(totals.bad.get(reason, 0) for reason in PARSE_FAILURES)
    numbers: dict[str, float | None] = {
        **{name: None if value is None else float(value) for name, value in measured.items()},
        "unparseable": unparseable / responses if responses else None,
        "quotes_placed": _placed(_under("match", measures)),
        "usable": (totals.written + totals.empty) / responses if responses else None,
    }
    return Quality(
        measured=numbers,
        # A run that had no answers has nothing to judge; what it answered nobody has judged yet.
        measurements=judge(_judged(gates, numbers), numbers, earlier) if responses else [],
        failures=failures,
        matches=_counted("match", measures),
        mended=_counted("mended", measures),
        dropped=_counted("dropped", measures),
        cut=measures.get("embedding:cut", 0),
        totals=totals,
        spending=spending,
        earlier=earlier,
        census=census,
    )


def _judged(gates: Sequence[Gate], numbers: Mapping[str, float | None]) -> list[Gate]:
    """Return the gates that can be: people look at rows after the run that wrote them."""
    return [gate for gate in gates if gate.measurement != PRECISION or PRECISION in numbers]


def _placed(matches: Mapping[str, int]) -> float | None:
    """Return the share of quotes that stand in their texts."""
    quotes = sum(matches.values())
    return 1 - matches.get("unplaced", 0) / quotes if quotes else None


def bar(share: float) -> str:
    """Return a bar of text for a share between 0 and 1."""
    return "█" * round(max(0.0, min(1.0, share)) * BAR_WIDTH)


def _counted(prefix: str, measures: Mapping[str, int]) -> list[Counted]:
    found = _under(prefix, measures)
    return [Counted(name, count, count / sum(found.values())) for name, count in found.items()]


def _under(prefix: str, measures: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(f"{prefix}:"): count
        for name, count in sorted(measures.items(), key=lambda item: -item[1])
        if count and name.startswith(f"{prefix}:")
    }
