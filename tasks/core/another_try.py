"""What another try changes: a request that is the same to the letter mostly ends the same."""

from collections.abc import Sequence

from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill
from tasks.core.models import Member, Slice

LIMIT_RAISE = 2
"""An answer that was cut off is asked again with so many times the tokens."""

MOST_OUTPUT_TOKENS = 65_536
"""What every model we know may answer with at most (Gemini API, Models)."""

TEMPERATURE_RAISE = 0.3
MOST_TEMPERATURE = 1.0


def output_limit(model: str) -> int:  # noqa: ARG001 - one for all, so far
    """Return how many tokens an answer of the model may have."""
    return MOST_OUTPUT_TOKENS


def allows_sampling(model: str) -> bool:  # noqa: ARG001 - all do, so far
    """Return whether requests of the model may say a temperature."""
    return True


def limit_again(model: str, limit: int, reason: str) -> int:
    """Return the limit of the next try: raised where the answer was cut off, within the model's."""
    if reason != BadReason.MAX_TOKENS:
        return limit
    return max(limit, min(limit * LIMIT_RAISE, output_limit(model)))


def temperature_of(backfill: Backfill, the_slice: Slice, members: Sequence[Member]) -> float | None:
    """Return what a slice's requests say instead of the declared temperature; None: nothing.

    A slice that a job carried in vain is no try: its members have no answer yet.
    """
    if the_slice.question != "answer" or not allows_sampling(the_slice.model):
        return None
    tries = min((member.attempts for member in members), default=0)
    return temperature_again(backfill.temperature, tries)


def temperature_again(declared: float, tries: int) -> float | None:
    """Return the temperature after so many answers that could not be used; None: as declared."""
    if not tries or declared >= MOST_TEMPERATURE:
        return None
    return min(MOST_TEMPERATURE, round(declared + tries * TEMPERATURE_RAISE, 2))
