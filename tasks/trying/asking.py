"""A few rows asked at once, each one time, within a cap in dollars."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from prefect import get_run_logger

from tasks.adapters.ledger import tries
from tasks.adapters.picked import Picked
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import BudgetReachedError, PreflightError, UnavailableError
from tasks.core.identity import content_hash
from tasks.core.models import Member
from tasks.core.responses import Usage
from tasks.slices.as_asked import as_today
from tasks.slices.at_once import AtOnce, Purse, Reply
from tasks.slices.row_money import most_answer_usd


class Tried(NamedTuple):
    """The rows that were asked with what came, in order, and what all of them used."""

    rows: Sequence[tuple[Picked, Reply]]
    usage: Usage
    usd: float
    answered: int


async def ask(
    chosen: Backfill, rows: Sequence[Picked], cap_usd: float, flow_run_id: str | None
) -> Tried:
    """Return what came for the rows that the cap allows; it is recorded what that cost.

    Raises PreflightError where it allows none, and what the service said where none was
    answered.
    """
    most = [most_answer_usd(chosen, row.target.text) for row in rows]
    get_run_logger().info(
        "%s: at most %.4f USD for one of these %d rows, %.4f for all; the cap is %.4f.",
        *(chosen.model, max(most), len(rows), sum(most), cap_usd),
    )
    if cap_usd < min(most):
        raise PreflightError(
            f"A cap of {cap_usd:.4f} USD is below one request: of {chosen.model} one may cost"
            f" {min(most):.4f} here. Nothing was asked."
        )
    purse = Purse(cap_usd)
    book = partial(tries.book, await _begin(chosen, cap_usd, flow_run_id))
    asking = AtOnce(as_today(chosen), purse, book, keeps=False)
    try:
        await asking.run([(_member(row), row.target) for row in rows])
    except BudgetReachedError:
        if not asking.answers:
            raise
    found = [(row, content_hash(row.target.text)) for row in rows]
    replies = [
        (row, asking.replies[content]) for row, content in found if content in asking.replies
    ]
    if not asking.answers:
        raise UnavailableError(str((replies[0][1].response.error or (0, "no reply"))[1]))
    return Tried(replies, asking.usage, purse.spent_usd, asking.answers)


def _member(row: Picked) -> Member:
    target = row.target
    return Member(target.doc_id, target.target_id, content_hash(target.text), 0)


@in_thread
def _begin(chosen: Backfill, cap_usd: float, flow_run_id: str | None) -> UUID:
    with connect() as connection:
        return tries.begin(connection, chosen, cap_usd, flow_run_id)
