"""What a QC report says, computed from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.core.answers import BadReason
from tasks.core.gates import Gate, Measurement, judge
from tasks.core.models import Spending, Totals

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


@dataclass(frozen=True, slots=True)
class Quality:
    """A run, judged."""

    measured: Mapping[str, float | None]
    measurements: Sequence[Measurement]
    failures: Mapping[str, int]
    matches: Mapping[str, int]
    totals: Totals
    spending: Spending

    @property
    def passed(self) -> bool:
        """Return whether every gate lets the run through."""
        return all(measured.passed for measured in self.measurements)


def assess(
    gates: Sequence[Gate],
    measured: Mapping[str, Any],
    measures: Mapping[str, int],
    totals: Totals,
    spending: Spending,
) -> Quality:
    """Return the judgement of a run from the database's measurements and the slices' counts."""
    failures = _under("bad", measures)
    responses = totals.written + totals.empty + sum(totals.bad.values())
    unparseable = sum(totals.bad.get(reason, 0) for reason in PARSE_FAILURES)
    numbers: dict[str, float | None] = {
        **{name: None if value is None else float(value) for name, value in measured.items()},
        "unparseable": unparseable / responses if responses else None,
        "usable": (totals.written + totals.empty) / responses if responses else None,
    }
    return Quality(
        measured=numbers,
        # A run that had nothing to do has nothing to judge.
        measurements=judge(gates, numbers) if totals.targets else [],
        failures=failures,
        matches=_under("match", measures),
        totals=totals,
        spending=spending,
    )


def bar(share: float) -> str:
    """Return a bar of text for a share between 0 and 1."""
    return "█" * round(max(0.0, min(1.0, share)) * BAR_WIDTH)


def _under(prefix: str, measures: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(f"{prefix}:"): count
        for name, count in sorted(measures.items(), key=lambda item: -item[1])
        if name.startswith(f"{prefix}:")
    }
