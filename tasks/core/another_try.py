"""What another try changes: a request that is the same to the letter mostly ends the same."""

from collections.abc import Sequence

from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill
from tasks.core.model_table import Model
from tasks.core.models import Member, Slice

LIMIT_RAISE = 4
"""An answer that was cut off is asked again with so many times the tokens."""

TEMPERATURE_RAISE = 0.3
MOST_TEMPERATURE = 1.0


def limit_again(model: Model, limit: int, reason: str) -> int:
    """Return the limit of the next try: raised where the answer was cut off, within the model's."""
    if reason != BadReason.MAX_TOKENS:
        return limit
    return max(limit, min(limit * LIMIT_RAISE, model.output_limit))


def temperature_of(
    backfill: Backfill, model: Model, the_slice: Slice, members: Sequence[Member]
) -> float | None:
    """Return what a slice's requests say instead of the declared temperature; None: nothing.

    A slice that a job carried in vain is no try: its members have no answer yet.
    """
    if the_slice.question != "answer" or model.sampling != "allowed":
        return None
    tries = min((member.attempts for member in members), default=0)
    return temperature_again(backfill.temperature or 0.0, tries)


def temperature_again(declared: float, tries: int) -> float | None:
    """Return the temperature after so many answers that could not be used; None: as declared."""
    if not tries or declared >= MOST_TEMPERATURE:
        return None
    return min(MOST_TEMPERATURE, round(declared + tries * TEMPERATURE_RAISE, 2))
