"""Whether one more batch job fits under the limits of the key's tier."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.core.errors import NoRoomError, TooLargeError

GUESSED_SHARE = 0.8
"""Of the limit, while tokens are guessed from bytes: the service counts its own."""

MEASURED_SHARE = 0.95
"""Of the limit, once finished jobs have shown how guesses compare with what was counted."""


@dataclass(frozen=True, slots=True)
class Job:
    """A batch job that may wait at the service; `tokens` is None where it is not ours."""

    model: str
    tokens: float | None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The job that is to be created, by the planner's guess."""

    slice_id: str
    model: str
    tokens: float
    requests: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one key may have in flight: tokens of one model, if known, and jobs of all."""

    tokens: int | None
    jobs: int


def usable_share(counted_per_guess: float | None) -> float:
    """Return how much of a limit on tokens is used."""
    return GUESSED_SHARE if counted_per_guess is None else MEASURED_SHARE


def require(
    wanted: Wanted, active: Sequence[Job], limits: Limits, counted_per_guess: float | None
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
    wanted: Wanted,
    active: Sequence[Job],
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
