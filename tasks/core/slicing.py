"""How large a slice may be, which wave a target falls into, and whether its job has room now."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tasks.core.errors import NoRoomError, TooLargeError

MAX_FILE_BYTES = 400_000_000
"""Well under the service's 2 GB: an upload has no resume, so a dropped one starts again."""

BYTES_PER_TOKEN = 4.0
"""Before anything was counted: about four characters a token (Gemini API, Understand tokens)."""

SLICE_TOKENS = 3_000_000
"""Where no tier says otherwise: the lowest limit that a tier sets for a model we use."""

JOBS_THAT_FILL = 8
"""With so many jobs in flight, the room that a finished one leaves idle is an eighth at most."""


GUESSED_SHARE = 0.8
"""Of the limit, while tokens are guessed from bytes: the service counts its own."""

MEASURED_SHARE = 0.95
"""Of the limit, once finished jobs have shown how guesses compare with what was counted."""


def usable_share(counted_per_guess: float | None) -> float:
    """Return how much of a limit on tokens is used."""
    return GUESSED_SHARE if counted_per_guess is None else MEASURED_SHARE


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


LARGE_RUN = 2_000
"""Above so many targets one slice goes first, and the others when it has passed."""

FIRST_SLICE = 500


@dataclass(frozen=True, slots=True)
class Waves:
    """Wave sizes as ends on the line of places: sizes 100, 500 end at 100 and 600."""

    first: int
    ends: tuple[int, ...] | None

    @classmethod
    def of(cls, sizes: Sequence[int] | None, *, pilot: bool, targets: int = 0) -> "Waves":
        """Return the waves of a run of so many targets; a pilot is wave 0 whatever the sizes."""
        if pilot:
            return cls(0, None)
        if not sizes and targets > LARGE_RUN:
            return cls(1, (FIRST_SLICE, targets))
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


@dataclass(frozen=True, slots=True)
class JobInFlight:
    """A batch job that may wait at the service; `tokens` is None where it is not ours."""

    model: str
    tokens: float | None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class WantedJob:
    """The job that is to be created, by the planner's guess."""

    slice_id: str
    model: str
    tokens: float
    requests: int


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """What one key may have in flight: tokens of one model, if known, and jobs of all."""

    tokens: int | None
    jobs: int


def require_room(
    wanted: WantedJob,
    active: Sequence[JobInFlight],
    limits: RoomLimits,
    counted_per_guess: float | None,
) -> None:
    """Return if there is room for the job; raise TooLargeError or NoRoomError with the reason."""
    ours = any(job.tokens is not None for job in active)
    if len(active) >= limits.jobs:
        raise NoRoomError(
            f"{len(active)} batch jobs of this key are in flight, and {limits.jobs} may be:"
            f" slice {wanted.slice_id} waits for one to end.",
            ours=ours,
        )
    if limits.tokens is not None:
        _require_tokens(wanted, active, limits.tokens, counted_per_guess, ours=ours)


def _require_tokens(
    wanted: WantedJob,
    active: Sequence[JobInFlight],
    limit: int,
    counted_per_guess: float | None,
    *,
    ours: bool,
) -> None:
    usable = limit * usable_share(counted_per_guess)
    scale = counted_per_guess or 1.0
    tokens = wanted.tokens * scale
    if tokens > usable:
        raise TooLargeError(
            f"Slice {wanted.slice_id} holds about {tokens:,.0f} tokens; of the {limit:,} that may"
            f" wait for {wanted.model}, {usable:,.0f} are used."
        )
    each = wanted.tokens / max(1, wanted.requests)
    waiting = scale * sum(
        job.requests * each if job.tokens is None else job.tokens
        for job in active
        if job.model == wanted.model
    )
    if waiting + tokens > usable:
        raise NoRoomError(
            f"About {waiting:,.0f} tokens wait for {wanted.model} and {usable:,.0f} may:"
            f" slice {wanted.slice_id} ({tokens:,.0f}) waits for a job to end.",
            ours=ours,
        )
