"""What is measured of a run, beside what was measured of the last runs of its version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

LAST_RUNS = 5

LEAST_RUNS = 3
"""Of fewer nobody knows what is usual."""

FAR = 5.0
"""Times the median distance of these runs from their own median: one odd run changes little."""

LEAST_SHARE, LEAST = 0.1, 0.02
"""A move is never far that is less than this share of the usual value, or than this alone."""

COUNTS = frozenset({"rows"})
"""They say how large a run was."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """One measure in the last runs, the latest first."""

    values: Sequence[float] = ()

    @property
    def usual(self) -> float | None:
        """Return the median; None where there was no run."""
        return median(self.values) if self.values else None

    @property
    def listed(self) -> str:
        """Return the values, as a reader sees them."""
        return ", ".join(f"{each:.4g}" for each in self.values)

    def is_far(self, value: float | None) -> bool:
        """Return whether a value lies farther from the usual one than these runs moved."""
        if value is None or len(self.values) < LEAST_RUNS:
            return False
        usual = median(self.values)
        spread = median(abs(each - usual) for each in self.values)
        return abs(value - usual) > max(FAR * spread, LEAST_SHARE * abs(usual), LEAST)

    def sentence(self, value: float | None) -> str:
        """Return it as one sentence; empty where there was no run."""
        if not self.values:
            return ""
        moved = " It moved far." if self.is_far(value) else ""
        return f"In the last runs of the version: {self.listed}.{moved}"


def earlier(runs: Sequence[Mapping[str, float | None]]) -> dict[str, Earlier]:
    """Return each measure's values in some runs, the latest first."""
    names = dict.fromkeys(name for run in runs for name in run if name not in COUNTS)
    return {
        name: Earlier([value for run in runs if (value := run.get(name)) is not None])
        for name in names
    }
