"""The canary: one row is asked at once before all others go out, just as they will be.

A model that is closed to the key, or a configuration that it refuses, shows in an answer alone:
looking a model up proves nothing, and a batch job reports such a fault line by line. The canary's
answer is used like any other.
"""

from collections.abc import Collection
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.ledger import generations, slices
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models, today
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.models import OpenSlice, SliceState

CANARIES = 3
"""A row may be refused for its own sake; three of them are not."""


@in_thread
def plan_canary(name: str, run_id: UUID, tried: Collection[str]) -> OpenSlice | None:
    """Return a slice of one target to be asked first, or None where none is needed.

    None is needed where such a question was answered in the last day, or nothing has to go out.
    """
    backfill = backfills.get(name)
    with connect() as connection:
        if slices.were_answered(connection, backfill):
            return None
        open_now = slices.open_slices(connection, run_id)
        left = [each for each in open_now if each.slice_id not in tried and _may_be_asked(each)]
        if not left:
            return None
        slice_id = _alone(connection, backfill, min(left, key=_rank))
        open_now = slices.open_slices(connection, run_id)
    get_run_logger().info("One row is asked before all others, to see whether it is answered.")
    return next(each for each in open_now if each.slice_id == slice_id)


@in_thread
def had_answer(slice_id: str) -> bool:
    """Return whether the slice's target got an answer, good or bad; a row may have gone away."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
    return the_slice.written + the_slice.empty + the_slice.bad > 0


def _may_be_asked(one: OpenSlice) -> bool:
    return one.state is SliceState.PLANNED or _is_cut_off(one)


def _is_cut_off(one: OpenSlice) -> bool:
    """Return whether it is a canary that an earlier process began to ask."""
    return (
        one.state is SliceState.SUBMITTED
        and one.transport == "interactive"
        and one.request_count == 1
    )


def _rank(one: OpenSlice) -> tuple[bool, int, int, int, str]:
    """Return an order with what was begun first, then a slice of the first wave, a lone row."""
    return (not _is_cut_off(one), one.wave, one.attempt, one.request_count, one.slice_id)


def _alone(connection: Connection, backfill: Backfill, one: OpenSlice) -> str:
    """Return a slice of one target, at the price of being asked now; cut off from a larger one."""
    slice_id = one.slice_id
    members = generations.members(connection, slice_id)
    if len(members) > 1:
        source = slices.lock(connection, slice_id)
        slice_id = generations.take_out(connection, source, [members[0].doc_id])
    slices.ask_at_once(connection, slice_id, backfill.model, _times_dearer(backfill))
    return slice_id


def _times_dearer(backfill: Backfill) -> float:
    price = models().billed(backfill.model, today()).price_on(today())
    in_batch = price.usd(1, 1, "batch")
    return price.usd(1, 1, "interactive") / in_batch if in_batch else 1.0
