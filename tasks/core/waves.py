"""What became of waves and slices, what they cost, and whether more may be sent after them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.core.gates import Gate

USABLE = Gate("usable", "The share of usable answers", at_least=0.95)
"""What a slice or a wave must reach where the backfill declares nothing else."""

LEAST_JUDGED = 50
"""Of fewer answers a share says little."""

STANDARD_ERRORS = 2.0

SLICES_BELOW = 2
"""One slice may hold rows that are harder than all others; so many are the model's fault."""

_TO_DO = (
    "Everything that was answered is kept. Look at the bad answers, mend the prompt under a new"
    " extractor_version or the limit in the backfill, and run again."
)


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
        limit = gate or (USABLE if self.asked >= LEAST_JUDGED else None)
        if limit is None or self.share is None or limit.passes(self.share):
            return None
        return (
            f"{self.sentence()}. {limit.title} is outside its limit {limit.limit()}, so the next"
            f" wave does not start. {_TO_DO}"
        )


@dataclass(frozen=True, slots=True)
class EndedSlice:
    """A slice whose answers are in; what was skipped, or not answered at no cost, is left out."""

    wave: int
    attempt: int
    usable: int
    bad: int

    @property
    def answers(self) -> int:
        """Return how many there are, good and bad."""
        return self.usable + self.bad

    def is_below(self, gate: Gate) -> bool:
        """Return whether it says that too few answers are usable, and not by chance.

        A share of n answers is known to two standard errors, sqrt(share * (1 - share) / n).
        """
        if self.answers < LEAST_JUDGED:
            return False
        share = self.usable / self.answers
        at_best = share + STANDARD_ERRORS * (share * (1 - share) / self.answers) ** 0.5
        return not gate.passes(min(1.0, at_best))


def judge(ended: Sequence[EndedSlice], gate: Gate | None) -> str | None:
    """Return why nothing more may be sent after these slices, or None where more may.

    What is asked again is the hardest of its wave: it counts only where the wave is below as well.
    """
    limit = gate or USABLE
    first, usable = Counter[int](), Counter[int]()
    for each in ended:
        first[each.wave] += each.answers if each.attempt == 1 else 0
        usable[each.wave] += each.usable
    hopeless = {
        wave for wave, asked in first.items() if asked and not limit.passes(usable[wave] / asked)
    }
    below = [
        each
        for each in ended
        if each.is_below(limit) and (each.attempt == 1 or each.wave in hopeless)
    ]
    if len(below) < SLICES_BELOW:
        return None
    said = " and ".join(
        f"{each.usable / each.answers:.1%} ({each.usable:,} of {each.answers:,})"
        for each in below[:SLICES_BELOW]
    )
    return (
        f"{limit.title} was {said} in {SLICES_BELOW} slices, outside its limit {limit.limit()}, so"
        f" nothing more was sent. {_TO_DO}"
    )
