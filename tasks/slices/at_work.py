"""Around a slice's flow: one process at a time, nothing after a stop, word of what stops all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect import get_run_logger

from tasks.adapters.ledger import slices
from tasks.adapters.locks import own_slices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.errors import BackfillError, BudgetReachedError, QuotaError, RejectedError
from tasks.core.models import SliceResult, SliceState, StoppedBy
from tasks.writing.ingest import result_of

STOPS: dict[StoppedBy, type[BackfillError]] = {
    "budget": BudgetReachedError,
    "quota": QuotaError,
    "rejected": RejectedError,
}
"""What one slice meets and all others would meet as well."""


@asynccontextmanager
async def at_work(slice_id: str) -> AsyncIterator[SliceResult | None]:
    """Hold the slice; yield None, or what to return when its run was stopped before it went out.

    Another process that works on it is waited for: then the ledger says what is left to do.
    """
    await _wait_for_others(slice_id)
    try:
        yield await _if_stopped(slice_id)
    except tuple(STOPS.values()) as error:
        await _note_stop(slice_id, error)
        raise
    finally:
        own_slices.end(slice_id)


async def _wait_for_others(slice_id: str) -> None:
    told = ""
    while other := await in_thread(own_slices.begin)(slice_id):
        if other != told:
            get_run_logger().info("Slice %s is at work: %s. Waiting for it.", slice_id, other)
            told = other
        await asyncio.sleep(settings().poll_seconds)


@in_thread
def _if_stopped(slice_id: str) -> SliceResult | None:
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        if the_slice.state is SliceState.PLANNED and slices.run_is_stopped(connection, slice_id):
            return result_of(the_slice)
    return None


@in_thread
def _note_stop(slice_id: str, error: BackfillError) -> None:
    [why] = [why for why, kind in STOPS.items() if isinstance(error, kind)]
    with connect() as connection:
        slices.note_stop(connection, slice_id, why, str(error))
