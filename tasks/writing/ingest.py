"""One slice's answers into the user's table, the ledger and the checkpoint.

They are read outside any transaction, and written in one.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from prefect import get_run_logger
from prefect.client.schemas.objects import State

from tasks import backfills
from tasks.adapters import telemetry, workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import generations, slices
from tasks.adapters.outage import outlasting
from tasks.adapters.postgres import Fence, connect, fences
from tasks.adapters.processes import processes
from tasks.adapters.stages import SERVICE_AWAY, in_thread, stage, waiting_stage
from tasks.core.errors import BackfillError, RejectedError
from tasks.core.models import Slice, SliceResult, SliceState
from tasks.core.observed import Observed
from tasks.core.responses import read_lines
from tasks.writing.fetching import fetch
from tasks.writing.reading import Reader, Reading
from tasks.writing.vectors import ingestion

FINISHED = (SliceState.DONE, SliceState.FAILED)

SMALL = 500_000
"""Bytes of answers, about 200: for less a process costs more than it saves."""


def place_to_ingest() -> asyncio.Semaphore:
    """Return what a slice holds from before its fetch: no more are here than are ingested."""
    return processes.place()


class Written(NamedTuple):
    """What a transaction came to; `refusal` says why it wrote nothing and the run has to stop."""

    result: SliceResult
    observed: list[Observed]
    refusal: str | None = None


def _may_pass(task: object, task_run: object, state: State) -> bool:
    """Return whether trying again can help: not where the service refused all requests alike."""
    del task, task_run
    return not isinstance(state.data, RejectedError)


@waiting_stage("ingest {slice_id}", retry_condition_fn=_may_pass, **SERVICE_AWAY)
async def ingest(slice_id: str, output_file: str) -> SliceResult:
    """Return the slice's ends after writing its job's answers; doing it again changes nothing.

    Raises RejectedError, with the targets planned again, where all requests are refused alike.
    """
    path = await fetch(slice_id, output_file)
    if _is_small(path):
        result, observed, refusal = await in_thread(_write)(slice_id, path)
    else:
        result, observed, refusal = await processes.run(_write_under, fences.get(), slice_id, path)
    _emit(observed)
    if refusal:
        await in_thread(clean_up)(slice_id)
        raise RejectedError(refusal)
    get_run_logger().info(
        "%d written, %d empty, %d bad, %d skipped, %.4f USD",
        result.written,
        result.empty,
        result.bad,
        result.skipped,
        result.cost_usd,
    )
    await in_thread(clean_up)(slice_id)
    return result


@stage("close {slice_id}", retries=3, retry_delay_seconds=5)
def close(slice_id: str) -> SliceResult:
    """Return the ends of a slice of which nothing could be asked."""
    return ingest_slice(slice_id, None)


def _is_small(path: Path) -> bool:
    return path.stat().st_size < SMALL


def ingest_slice(slice_id: str, path: Path | None) -> SliceResult:
    """Write a slice's rows and ends, its totals and the checkpoint, all or nothing."""
    result, observed, refusal = _write(slice_id, path)
    _emit(observed)
    if refusal:
        raise RejectedError(refusal)
    return result


def _write(slice_id: str, path: Path | None) -> Written:
    observed: list[Observed] = []
    refusal = None
    with _without_collector():
        reading = _read(slice_id, path)
        with connect() as connection:
            the_slice = slices.lock(connection, slice_id)
            if the_slice.state not in FINISHED:
                writing = ingestion(connection, the_slice)
                writing.write_slice(reading)
                observed, refusal = writing.observed, writing.refusal
                the_slice = slices.get(connection, slice_id)
    return Written(result_of(the_slice), observed, refusal)


def _read(slice_id: str, path: Path | None) -> Reading:
    """Return what came for a slice; without a file nothing was asked."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        members = generations.members(connection, slice_id)
        backfill = backfills.of_slice(connection, the_slice)
    return Reader(backfill, the_slice).read(members, read_lines(workspace.lines(path)))


def _write_under(held: tuple[Fence, ...], slice_id: str, path: Path) -> Written:
    """Write in a process of its own, under the leases of the one that asks for it."""
    fences.set(held)
    return outlasting(_write)(slice_id, path)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for cycles in a slice's million objects: there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def result_of(the_slice: Slice) -> SliceResult:
    """Return what the ledger says of a slice."""
    return SliceResult(
        slice_id=the_slice.slice_id,
        state=the_slice.state,
        written=the_slice.written,
        empty=the_slice.empty,
        bad=the_slice.bad,
        skipped=the_slice.skipped,
        cost_usd=the_slice.cost_usd,
        message=the_slice.error,
    )


def clean_up(slice_id: str) -> None:
    """Delete the slice's job and files, here and at the service; only after the commit.

    The job goes last: by it a run finds what a kill has left.
    """
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
    workspace.discard(slice_id)
    try:
        if the_slice.input_file:
            gemini().delete_file(the_slice.input_file)
        if the_slice.job_name:
            gemini().delete_job(the_slice.job_name)
    except BackfillError as error:
        get_run_logger().warning("Leftovers of slice %s stay at the service: %s", slice_id, error)


def _emit(observed: list[Observed]) -> None:
    """Hand what is committed to the observer, if there is one."""
    if observed:
        telemetry.emit(observed)
