"""When a restore is a person's to say yes to, although it is free."""

from dataclasses import dataclass

MANY = 1000
SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Waiting:
    """Targets that wait to be written again from kept answers.

    Attributes:
        ready: those whose answer is there.
        missing: those of them that had rows before.
        standing: how many targets had rows when they were last written, where it matters.
    """

    ready: int
    missing: int
    standing: int

    @property
    def is_many(self) -> bool:
        """Return whether so many rows are missing that somebody may have meant it."""
        return self.missing > MANY and self.missing > SHARE * self.standing

    def question(self) -> str:
        """Return what a person is asked."""
        return (
            f"{self.missing:,} of {max(self.missing, self.standing):,} targets lack their rows"
            " although the answers are kept: somebody may have deleted them on purpose. Restore"
            " them, for 0 USD?"
        )
