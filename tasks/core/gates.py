"""Limits, and the numbers they limit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.core.drift import Earlier

LEAST_PILOT = 50
"""From so many judged rows on a pilot says something of the rest, or from all there are."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on one measurement; a bound that is None does not limit."""

    measurement: str
    title: str
    at_least: float | None = None
    at_most: float | None = None

    def limit(self) -> str:
        """Return the limit in words."""
        parts = []
        if self.at_least is not None:
            parts.append(f">= {self.at_least:g}")
        if self.at_most is not None:
            parts.append(f"<= {self.at_most:g}")
        return " and ".join(parts)

    def passes(self, value: float | None) -> bool:
        """Return whether a measured value is within the limit; nothing measured never passes."""
        if value is None:
            return False
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """A gate beside what was measured, now and in the last runs of the version."""

    gate: Gate
    value: float | None
    passed: bool
    earlier: Earlier

    def sentence(self) -> str:
        """Return it as one sentence."""
        measured = "was not measured" if self.value is None else f"is {self.value:.4g}"
        word = "within" if self.passed else "outside"
        said = f"{self.gate.title} {measured}, {word} its limit {self.gate.limit()}."
        return f"{said} {self.earlier.sentence(self.value)}".rstrip()


def judge(
    gates: Iterable[Gate],
    measured: Mapping[str, float | None],
    earlier: Mapping[str, Earlier],
) -> list[Measurement]:
    """Return one measurement per gate, in the gates' order."""
    return [
        Measurement(gate, value, gate.passes(value), earlier.get(gate.measurement, Earlier()))
        for gate in gates
        for value in [measured.get(gate.measurement)]
    ]
