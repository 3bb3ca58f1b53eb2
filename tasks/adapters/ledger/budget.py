"""The hard cap: spent and reserved together are within what was approved, at every commit."""

from datetime import datetime
from typing import NamedTuple, cast

from tasks.adapters.ledger import slices
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.reference import models, usd_of
from tasks.core.asking import output_limit
from tasks.core.backfill import Backfill
from tasks.core.errors import BudgetReachedError, NoRoomError, TooLargeError
from tasks.core.models import Slice
from tasks.core.money import Spread, most_output
from tasks.core.responses import Usage

LEAST_ROWS = 50
"""A slice is not cut smaller for want of dollars."""

GUESSED_INPUT = 2.0
"""Tokens of the input beside four bytes a token, where none were counted: code and numbers."""

COUNTED_INPUT = 1.1
"""Likewise beside the mean of those that were."""

SEARCHES = 2
"""Of one answer, until some were measured."""

_SQL = statements("queries/budget.sql")


class Left(NamedTuple):
    """Dollars of an approval that nobody spent or holds, and those held."""

    usd: float
    held_usd: float


def reserve(
    connection: Connection, backfill: Backfill, the_slice: Slice, flow_run_id: str | None
) -> datetime:
    """Promise to create the slice's job, within the run's approval; commit before creating it.

    Returns when, by the database's clock. What others hold may come back: until then it raises
    NoRoomError. A slice that is too large for what is left raises TooLargeError, so that it is
    split; one that cannot be split any more BudgetReachedError.
    """
    usd = most_usd(connection, backfill, the_slice)
    left = _left(connection, the_slice.slice_id)
    if usd > left.usd:
        raise _too_dear(connection, the_slice, usd, left)
    return _reserve(connection, the_slice.slice_id, usd, flow_run_id)


def reserve_nothing(connection: Connection, slice_id: str) -> None:
    """Promise to ask the slice's rows one by one, each within what is approved by then."""
    left = _left(connection, slice_id)
    if left.usd <= 0 and not left.held_usd:
        raise _reached(connection, slice_id, left)
    _reserve(connection, slice_id, 0.0, None)


def hold(connection: Connection, slice_id: str, usd: float) -> bool:
    """Hold what one row may cost; return whether it does, or has to wait for others.

    Raises BudgetReachedError where nobody holds anything that may come back.
    """
    left = _left(connection, slice_id)
    if usd > left.usd:
        if left.held_usd > 0:
            return False
        raise _reached(connection, slice_id, left)
    connection.execute(_SQL["hold"], {"slice_id": slice_id, "usd": usd})
    return True


def let_go(connection: Connection, slice_id: str, usd: float) -> None:
    """Hold what one row may have cost no more."""
    connection.execute(_SQL["let_go"], {"slice_id": slice_id, "usd": usd})


def book_lost_tries(connection: Connection, slice_id: str) -> None:
    """Book what rows may have cost that were in flight when their process died."""
    connection.execute(_SQL["book_lost_tries"], {"slice_id": slice_id})


def most_usd(connection: Connection, backfill: Backfill, the_slice: Slice) -> float:
    """Return what the slice's job may cost at most, by what is known."""
    scale = slices.counted_per_guess(connection, the_slice.model, the_slice.rows_per_request)
    tokens_in = the_slice.estimated_input_tokens * (
        GUESSED_INPUT if scale is None else scale * COUNTED_INPUT
    )
    if the_slice.question == "embedding":
        return usd_of(the_slice.model, Usage(input_tokens=round(tokens_in)), the_slice.transport)
    limit = the_slice.max_output_tokens or output_limit(backfill, models().find(backfill.model))
    # What is asked again was cut off, or odd: the others say nothing about it.
    spread = None if the_slice.attempt > 1 else _spread(connection, the_slice)
    tokens_out = most_output(the_slice.request_count, limit, spread)
    searches = round(the_slice.request_count * _most_searches(connection, backfill))
    usage = Usage(
        input_tokens=round(tokens_in),
        output_tokens=round(tokens_out),
        searches=searches,
        searched=min(searches, the_slice.request_count),
    )
    return usd_of(the_slice.model, usage, the_slice.transport)


def _left(connection: Connection, slice_id: str) -> Left:
    values = {"slice_id": slice_id}
    connection.execute(_SQL["lock_run_of_slice"], values)
    row = connection.execute(_SQL["left"], values).fetchone() or {}
    return Left(float(row["left_usd"]), float(row["held_usd"]))


def _reserve(
    connection: Connection, slice_id: str, usd: float, flow_run_id: str | None
) -> datetime:
    values = {"slice_id": slice_id, "usd": usd, "flow_run_id": flow_run_id}
    row = connection.execute(_SQL["reserve"], values).fetchone()
    return cast("datetime", (row or {})["reserved_at"])


def _spread(connection: Connection, the_slice: Slice) -> Spread | None:
    values = {
        "backfill": the_slice.backfill,
        "extractor_version": the_slice.extractor_version,
        "model": the_slice.model,
        "rows": the_slice.rows_per_request,
    }
    row = connection.execute(_SQL["measured"], values).fetchone()
    if not row or row["deviation"] is None:
        return None
    return Spread(row["answers"], row["mean"], row["deviation"])


def _most_searches(connection: Connection, backfill: Backfill) -> float:
    if not backfill.google_search:
        return 0.0
    version = backfill.in_ledger
    row = connection.execute(_SQL["most_searches"], version).fetchone()
    return float(row["searches"]) if row and row["searches"] else SEARCHES


def _too_dear(
    connection: Connection, the_slice: Slice, usd: float, left: Left
) -> NoRoomError | TooLargeError | BudgetReachedError:
    said = (
        f"Slice {the_slice.slice_id} may cost {usd:.4f} USD, and {max(0.0, left.usd):.4f} USD"
        " of what was approved is left"
    )
    if left.held_usd > 0:
        return NoRoomError(f"{said}; {left.held_usd:.4f} is held until other jobs end.", ours=True)
    if left.usd > 0 and the_slice.request_count >= 2 * LEAST_ROWS:
        return TooLargeError(f"{said}.")
    return _reached(connection, the_slice.slice_id, left)


def _reached(connection: Connection, slice_id: str, left: Left) -> BudgetReachedError:
    row = connection.execute(_SQL["wanted"], {"slice_id": slice_id}).fetchone() or {}
    return BudgetReachedError(
        f"What was approved for this run is spent but for {max(0.0, left.usd):.4f} USD:"
        f" {row['planned_rows']:,} rows stay planned, and about {row['planned_usd']:.4f} USD are"
        " wanted for them, besides what is reserved while they are in flight. Run again with a"
        " larger approve_up_to_usd; nothing is lost."
    )
