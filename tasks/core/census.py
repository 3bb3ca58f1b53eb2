"""What stands of one backfill beside what its rows say now, class by class."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Census:
    """How many targets of a version are in each class that no run's ends tell.

    Attributes:
        stale: rows of an older text stand, because the row's text changed.
        orphans: rows of ours stand, and the source row is gone.
        thinned: answered, the rows are missing, and the answer is no longer kept.
        edited: rows that a person changed since we wrote them; they are in their own class as well.
        out_of_scope: source rows that the site's `where` leaves out.
        restorable: the rows are missing, or of another text, and the answer is kept.
        askable: nobody has asked yet, or a repeat waits for what was asked.
    """

    stale: int = 0
    orphans: int = 0
    thinned: int = 0
    edited: int = 0
    out_of_scope: int = 0
    restorable: int = 0
    askable: int = 0

    def lines(self) -> list[tuple[str, int]]:
        """Return every count with its name, as a table shows it."""
        return list(zip(_NAMES, astuple(self), strict=True))

    def findings(self, name: str) -> Iterator[str]:
        """Yield a sentence for each class that somebody may do something about."""
        for field, about in _FINDINGS.items():
            if count := getattr(self, field):
                yield f"{name}: {count:,} {about}."

    def remarks(self, name: str) -> Iterator[str]:
        """Yield a sentence for each class that is as it should be."""
        for field, about in _REMARKS.items():
            if count := getattr(self, field):
                yield f"{name}: {count:,} {about}."


_NAMES = (
    "stale: rows of an older text stand",
    "orphans: the source row is gone",
    "thinned: rows missing, answer not kept",
    "edited: corrected by a person",
    "out of scope: left out by `where`",
    "restorable: rows missing, answer kept",
    "to ask: no answer yet",
)
_FINDINGS = {
    "stale": (
        "targets have rows of an older text; the next run asks what the row says now, and its"
        " answer takes their place"
    ),
    "orphans": (
        "targets have rows although their source row is gone; rollback/orphans lists them, and"
        " deletes their rows when dry_run is unticked"
    ),
    "thinned": (
        "targets were answered, their rows are missing and the answer is kept no more; redrive/bad"
        " with the reason thinned asks them again, and pays"
    ),
    "restorable": (
        "targets lack the rows of an answer that is kept; the next run, or restore/withdrawn,"
        " writes them for 0 USD"
    ),
}
_REMARKS = {
    "edited": "targets have rows that a person corrected; they are left as they are",
    "out_of_scope": "source rows are left out by `where`; they are neither asked nor swept",
}
