"""What became of a wave, what it cost, and whether the next one may start."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.core.gates import Gate


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of a run, after its retries if it has any; dollars at both prices."""

    number: int
    usable: int
    bad: Mapping[str, int]
    skipped: int
    planned: int
    slices: int
    cost_usd: float
    standard_usd: float

    @property
    def asked(self) -> int:
        """Return how many targets could be asked; those still without an end count too."""
        return self.usable + sum(self.bad.values()) + self.planned

    @property
    def share(self) -> float | None:
        """Return the share of usable answers, or None where nothing could be asked."""
        return self.usable / self.asked if self.asked else None

    def sentence(self) -> str:
        """Return the wave in one line."""
        causes = ", ".join(f"{count:,} {cause}" for cause, count in self.bad.items())
        share = "nothing to ask" if self.share is None else f"{self.share:.1%} usable"
        return (
            f"Wave {self.number}: {self.asked:,} targets, {share}"
            + (f" (bad: {causes})" if causes else "")
            + f"; {self.cost_usd:.4f} USD, {self.standard_usd:.4f} at standard price"
        )

    def refusal(self, gate: Gate | None) -> str | None:
        """Return why no further wave may start after this one, or None when one may."""
        if gate is None or self.share is None or gate.passes(self.share):
            return None
        return (
            f"{self.sentence()}. {gate.title} is outside its limit {gate.limit()}, so the next wave"
            " does not start. Everything that was answered is kept. Look at the bad answers, mend"
            " the prompt under a new extractor_version or the limit in the backfill, and run again."
        )
