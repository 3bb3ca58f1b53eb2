"""How large a slice may be, and which wave a target falls into."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tasks.core.room import usable_share

MAX_FILE_BYTES = 400_000_000
"""Well under the service's 2 GB: an upload has no resume, so a dropped one starts again."""

BYTES_PER_TOKEN = 4.0
"""Before anything was counted: about four characters a token (Gemini API, Understand tokens)."""


SLICE_TOKENS = 3_000_000
"""Where no tier says otherwise: the lowest limit that a tier sets for a model we use."""

JOBS_THAT_FILL = 8
"""With so many jobs in flight, the room that a finished one leaves idle is an eighth at most."""


def largest_useful(
    enqueued_tokens: int | None, jobs: int, counted_per_guess: float | None = None
) -> int:
    """Return how many guessed tokens a slice may hold, of those that may wait for one model.

    What counts is how much of the limit is in flight, all the time. A slice of a third of it would
    leave up to a third idle, because the last one does not fit; slices below a hundredth do not
    fill it at all, because only a hundred jobs may be in flight. Between the two, larger is better:
    there are fewer jobs to create and to wait for.
    """
    if enqueued_tokens is None:
        return SLICE_TOKENS
    usable = enqueued_tokens * usable_share(counted_per_guess) / (counted_per_guess or 1.0)
    return max(1, int(usable / min(jobs, JOBS_THAT_FILL)))


@dataclass(frozen=True, slots=True)
class SliceLimits:
    """What bounds a slice, and what each request weighs besides its text."""

    rows: int
    tokens: int
    tokens_per_request: float
    bytes_per_request: float
    bytes_per_token: float = BYTES_PER_TOKEN
    file_bytes: int = MAX_FILE_BYTES


@dataclass(frozen=True, slots=True)
class Waves:
    """Wave sizes as ends on the line of places: sizes 100, 500 end at 100 and 600."""

    first: int
    ends: tuple[int, ...] | None

    @classmethod
    def of(cls, sizes: Sequence[int] | None, *, pilot: bool) -> "Waves":
        """Return the waves of a run; a pilot is wave 0 whatever the sizes."""
        if pilot:
            return cls(0, None)
        return cls(1, tuple(accumulate(sizes)) if sizes else None)

    @property
    def last_end(self) -> int:
        """Where the last named wave ends."""
        return self.ends[-1] if self.ends else 0

    @property
    def last_size(self) -> int:
        """Return the size that repeats."""
        if not self.ends:
            return 1
        return self.ends[-1] - (self.ends[-2] if len(self.ends) > 1 else 0)
