"""One process at a time at a slice, and its batch job created once, whatever happens in between.

Creation is not idempotent and has no request id. So a slice is `reserved` under a deterministic
display name before the job is created. The name is looked for before every creation, and whoever
finds a reserved slice looks for it until the request can neither be on its way nor unlisted.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import leases, room
from tasks.adapters.gemini import gemini
from tasks.adapters.leases import Lease
from tasks.adapters.ledger import budget, jobs, runs, slices, waves
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import (
    AmbiguousError,
    BackfillError,
    BudgetReachedError,
    GatesFailedError,
    InputFileGoneError,
    LeaseLostError,
    ModelApiError,
    ModelGoneError,
    QuotaError,
    RejectedError,
)
from tasks.core.models import BatchJob, Slice, SliceResult, SliceState, StoppedBy
from tasks.core.refusals import another_embedding, another_model
from tasks.slices.as_asked import require_same
from tasks.writing.ingest import result_of

SECONDS_TO_SEND = 20.0
"""From the reservation to the request, by the database's clock."""

STOPS: dict[StoppedBy, type[BackfillError]] = {
    "budget": BudgetReachedError,
    "quota": QuotaError,
    "rejected": RejectedError,
    "gates": GatesFailedError,
}
"""What one slice meets and all others would meet as well."""


class Begun(NamedTuple):
    """A slice as it is taken up, and what to return when its run was stopped before it went out."""

    slice: Slice
    ended: SliceResult | None


@asynccontextmanager
async def at_work(slice_id: str) -> AsyncIterator[Begun]:
    """Hold the slice, and yield it as it is now.

    Another process that works on it is waited for: then the ledger says what is left to do.
    """
    with leases.working(await _lease(slice_id)):
        try:
            yield await _begun(slice_id)
        except tuple(STOPS.values()) as error:
            stop = await _noted(slice_id, error)
            if stop is error:
                raise
            raise stop from error


async def _lease(slice_id: str) -> Lease | None:
    told = ""
    while isinstance(other := await in_thread(leases.begin)(slice_id), str):
        if other != told:
            get_run_logger().info("Slice %s is at work: %s. Waiting for it.", slice_id, other)
            told = other
        await asyncio.sleep(settings().poll_seconds)
    return other


@in_thread
def _begun(slice_id: str) -> Begun:
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        backfill = backfills.of_slice(connection, the_slice)
        runs.require_site(connection, slice_id, backfill.site)
        require_same(connection, backfill)
        is_planned = the_slice.state is SliceState.PLANNED
        if is_planned and slices.run_is_stopped(connection, slice_id):
            return Begun(the_slice, result_of(the_slice))
    return Begun(the_slice, None)


@in_thread
def _noted(slice_id: str, error: BackfillError) -> BackfillError:
    """Keep what stops the run with its slice; return it, with what to write where that is known."""
    [why] = [why for why, kind in STOPS.items() if isinstance(error, kind)]
    with connect() as connection:
        backfill = backfills.of_slice(connection, slices.get(connection, slice_id))
        stop = _explained(error, backfill) if isinstance(error, ModelGoneError) else error
        slices.note_stop(connection, slice_id, why, str(stop))
    return stop


def _explained(error: ModelGoneError, backfill: Backfill) -> ModelGoneError:
    said = str(error)
    is_vector = error.model != backfill.model
    to_do = another_embedding(backfill.name) if is_vector else another_model(backfill.name, said)
    return ModelGoneError(f"{said.rstrip('.')}: {to_do}")


def submit(slice_id: str, file_name: str, flow_run_id: str | None) -> SliceState:
    """Create the job of a planned slice; return `submitted`, or `reserved` when nobody knows.

    A slice that is not planned any more is left as it is. Raises QuotaError (also for want of
    room), RejectedError, BudgetReachedError and GatesFailedError with the slice planned as before.
    """
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
    if the_slice.state is not SliceState.PLANNED:
        return the_slice.state
    reserved_at = _reserve(the_slice, flow_run_id)
    try:
        found = gemini().find_jobs(str(the_slice.display_name))
    except ModelApiError as error:
        _release(slice_id, str(error))  # nothing was sent: there is no doubt to wait out
        raise
    if found:
        return _adopt(slice_id, found)
    if not _may_send(slice_id, reserved_at):
        return SliceState.PLANNED
    return _create(the_slice, file_name, reserved_at)


async def settle(slice_id: str) -> SliceState:
    """Find out whether a reserved slice has a job; return its state, but never `reserved`.

    While it may still be created, or be listed, it is looked for again and again: only then is the
    slice planned anew.
    """
    while True:
        state = await in_thread(look)(slice_id)
        if state is not SliceState.RESERVED:
            return state
        await asyncio.sleep(min(settings().poll_seconds, settings().recreate_after_seconds / 4))


def look(slice_id: str) -> SliceState:
    """Look once for the job of a reserved slice; return its state, `reserved` while in doubt."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        doubt = settings().http_timeout_seconds + settings().recreate_after_seconds
        # Asked before the listing is: what appears in between is found the next time.
        is_settled = jobs.is_reserved_for(connection, slice_id, doubt)
    if the_slice.state is not SliceState.RESERVED:
        return the_slice.state
    if found := gemini().find_jobs(str(the_slice.display_name)):
        return _adopt(slice_id, found)
    if not is_settled:
        return SliceState.RESERVED
    _release(slice_id, f"no job of this name was found for {doubt:.0f} s")
    return SliceState.PLANNED


def _reserve(the_slice: Slice, flow_run_id: str | None) -> datetime:
    """Reserve the slice if there is room for its job; of all that want some, one at a time.

    Nothing goes out any more once two slices of the run had too few usable answers.
    """
    listed = room.listing.jobs()
    with connect() as connection:
        backfill = backfills.of_slice(connection, the_slice)
        room.enter(connection)
        if said := waves.off_course(connection, the_slice.slice_id, backfill.wave_gate):
            raise GatesFailedError(said)
        room.require(connection, the_slice, listed)
        return budget.reserve(connection, backfill, the_slice, flow_run_id)


def _may_send(slice_id: str, reserved_at: datetime) -> bool:
    """Return whether the request may leave now; a process that stood still begins anew.

    Whoever else finds the reservation waits much longer than it may take to be sent.
    """
    with connect() as connection:
        if jobs.is_fresh(connection, slice_id, reserved_at, SECONDS_TO_SEND):
            return True
        slices.release(connection, slice_id, "its job was not created in time")
    return False


def _create(the_slice: Slice, file_name: str, reserved_at: datetime) -> SliceState:
    try:
        create = gemini().create_job
        if the_slice.question == "embedding":
            create = gemini().create_embedding_job
        job = create(the_slice.model, file_name, str(the_slice.display_name))
    except AmbiguousError:
        return SliceState.RESERVED
    except InputFileGoneError as error:
        _release(the_slice.slice_id, str(error))
        return SliceState.PLANNED
    except ModelApiError as error:
        _release(the_slice.slice_id, str(error))
        raise
    return _attach(the_slice.slice_id, job, reserved_at)


def _attach(slice_id: str, job: BatchJob, reserved_at: datetime) -> SliceState:
    """Record the job; one that comes too late, because another run went on, is cancelled."""
    try:
        with connect() as connection:
            if slices.attach_job(connection, slice_id, job.name, reserved_at):
                return SliceState.SUBMITTED
    except LeaseLostError:
        _disown(slice_id, job, reserved_at)
        raise
    return _disown(slice_id, job, reserved_at)


def _disown(slice_id: str, job: BatchJob, reserved_at: datetime) -> SliceState:
    """Cancel a job that the slice's new holder has no use for; return the slice's state.

    While the slice is reserved for this very job, the new holder finds it by its name: a cancelled
    one would have to be asked again.
    """
    with connect(fenced=False) as connection:
        the_slice = slices.get(connection, slice_id)
    is_wanted = the_slice.state is SliceState.RESERVED and the_slice.reserved_at == reserved_at
    if the_slice.job_name != job.name and not is_wanted:
        gemini().cancel_job(job.name)
        get_run_logger().warning("%s was created too late, and is cancelled.", job.name)
    return the_slice.state


def _adopt(slice_id: str, found: list[BatchJob]) -> SliceState:
    """Record the oldest job of the slice's name; cancel the others."""
    with connect() as connection:
        slices.attach_job(connection, slice_id, found[0].name)
    for duplicate in found[1:]:
        gemini().cancel_job(duplicate.name)
    return SliceState.SUBMITTED


def _release(slice_id: str, error: str) -> None:
    with connect() as connection:
        slices.release(connection, slice_id, error)
