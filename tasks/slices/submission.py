"""One process at a time at a slice, and its batch job created once, whatever happens in between.

Creation is not idempotent and has no request id. So a slice is `reserved` under a deterministic
display name before the job is created; whoever finds a reserved slice looks for that name first.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import locks, room
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import runs, slices
from tasks.adapters.locks import own_slices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread, stage
from tasks.core.backfill import Backfill
from tasks.core.errors import (
    AmbiguousError,
    BackfillError,
    BudgetReachedError,
    InputFileGoneError,
    ModelApiError,
    ModelGoneError,
    QuotaError,
    RejectedError,
)
from tasks.core.models import BatchJob, Slice, SliceResult, SliceState, StoppedBy
from tasks.core.refusals import another_embedding, another_model
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
        stop = await _noted(slice_id, error)
        if stop is error:
            raise
        raise stop from error
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
        runs.require_site(connection, slice_id, backfills.get(the_slice.backfill).site)
        if the_slice.state is SliceState.PLANNED and slices.run_is_stopped(connection, slice_id):
            return result_of(the_slice)
    return None


@in_thread
def _noted(slice_id: str, error: BackfillError) -> BackfillError:
    """Keep what stops the run with its slice; return it, with what to write where that is known."""
    [why] = [why for why, kind in STOPS.items() if isinstance(error, kind)]
    with connect() as connection:
        backfill = backfills.get(slices.get(connection, slice_id).backfill)
        stop = _explained(error, backfill) if isinstance(error, ModelGoneError) else error
        slices.note_stop(connection, slice_id, why, str(stop))
    return stop


def _explained(error: ModelGoneError, backfill: Backfill) -> ModelGoneError:
    said = str(error)
    is_vector = error.model != backfill.model
    to_do = another_embedding(backfill.name) if is_vector else another_model(backfill.name, said)
    return ModelGoneError(f"{said.rstrip('.')}: {to_do}")


@stage("transport of {slice_id}")
def is_interactive(slice_id: str) -> bool:
    """Return whether the slice is asked one by one."""
    with connect() as connection:
        return slices.get(connection, slice_id).transport == "interactive"


def submit(slice_id: str, file_name: str, flow_run_id: str | None) -> SliceState:
    """Create the job of a planned slice; return `submitted`, or `reserved` when nobody knows.

    A slice that is not planned any more is left as it is. Raises QuotaError (also for want of
    room), RejectedError and BudgetReachedError with the slice planned as before.
    """
    with locks.waiting("slice", slice_id):
        with connect() as connection:
            the_slice = slices.get(connection, slice_id)
        if the_slice.state is not SliceState.PLANNED:
            return the_slice.state
        _reserve(the_slice, flow_run_id)
        return _create(the_slice, file_name)


def resolve(slice_id: str) -> SliceState:
    """Find out whether a reserved slice has a job; return `submitted` or `planned`."""
    with locks.waiting("slice", slice_id):
        with connect() as connection:
            the_slice = slices.get(connection, slice_id)
        if the_slice.state is not SliceState.RESERVED or the_slice.display_name is None:
            return the_slice.state
        job = _find(the_slice)
        with connect() as connection:
            if job:
                slices.attach_job(connection, slice_id, job.name)
                return SliceState.SUBMITTED
            slices.release(connection, slice_id, "no job of this name was found, twice")
            return SliceState.PLANNED


def _reserve(the_slice: Slice, flow_run_id: str | None) -> None:
    """Reserve the slice if there is room for its job; of all that want some, one at a time."""
    listed = room.listing.jobs()
    # One lock for all models: the number of jobs is limited over all of them.
    with locks.waiting("room"), connect() as connection:
        room.require(connection, the_slice, listed)
        slices.reserve(connection, the_slice.slice_id, flow_run_id)


def _create(the_slice: Slice, file_name: str) -> SliceState:
    try:
        create = gemini().create_job
        if the_slice.question == "embedding":
            create = gemini().create_embedding_job
        job = create(the_slice.model, file_name, str(the_slice.display_name))
    except AmbiguousError:
        return SliceState.RESERVED
    except InputFileGoneError as error:
        _release(the_slice.slice_id, error)
        return SliceState.PLANNED
    except ModelApiError as error:
        _release(the_slice.slice_id, error)
        raise
    with connect() as connection:
        slices.attach_job(connection, the_slice.slice_id, job.name)
    return SliceState.SUBMITTED


def _release(slice_id: str, error: ModelApiError) -> None:
    with connect() as connection:
        slices.release(connection, slice_id, str(error))


def _find(the_slice: Slice) -> BatchJob | None:
    """Return the slice's job, found by its display name; look twice before saying there is none."""
    name = str(the_slice.display_name)
    found = gemini().find_jobs(name)
    if not found:
        time.sleep(_until_settled(the_slice))
        found = gemini().find_jobs(name)
    for duplicate in found[1:]:
        gemini().cancel_job(duplicate.name)
    return found[0] if found else None


def _until_settled(the_slice: Slice) -> float:
    """Return the seconds until a request sent at the reservation must have ended and be listed."""
    here = settings()
    since = datetime.now(UTC) - (the_slice.reserved_at or datetime.now(UTC))
    return here.submit_grace_seconds + max(0.0, here.http_timeout_seconds - since.total_seconds())
