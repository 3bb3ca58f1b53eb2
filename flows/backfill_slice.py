"""One slice: build, upload, submit once, await, ingest."""

from prefect import flow

from tasks.core.errors import AmbiguousError, RejectedLinesError, TooLargeError
from tasks.core.models import SliceResult, SliceState
from tasks.slices.again import give_back, set_aside, split
from tasks.slices.batch import await_job, build, resolve, submit, upload
from tasks.slices.one_by_one import ask
from tasks.slices.submission import at_work
from tasks.writing.ingest import close, ingest, place_to_ingest

TRIES_TO_SUBMIT = 4


@flow(
    name="backfill-slice",
    flow_run_name="{name} {part}",
    persist_result=True,
    result_serializer="json",
)
async def backfill_slice(name: str, slice_id: str, part: str = "slice") -> SliceResult:  # noqa: ARG001 - names the run
    """Bring one slice to its end, from wherever the ledger says it is.

    Args:
        name: The backfill, for the run's name.
        slice_id: The slice in the ledger; its targets are there, not in a parameter.
        part: Which part of the run it is, for the run's name: 3 of 8, 5,000 rows.
    """
    async with at_work(slice_id) as (the_slice, ended):
        if ended is not None:
            return ended
        if the_slice.transport == "interactive":
            return await ask(slice_id)
        return await _in_a_batch(slice_id, the_slice.state)


async def _in_a_batch(slice_id: str, state: SliceState) -> SliceResult:
    if await _submitted(slice_id, state) is not SliceState.SUBMITTED:
        return await close(slice_id)
    job = await await_job(slice_id)
    if job.is_without_output:
        return await give_back(slice_id, f"{job.name} {job.state}: {job.error or 'no cause given'}")
    async with place_to_ingest():
        return await ingest(slice_id, str(job.output_file))


async def _submitted(slice_id: str, state: SliceState) -> SliceState:
    """Return `submitted`; else nothing is left to be asked: it was set aside, or split off."""
    tried = 0
    if state is SliceState.RESERVED:
        state = await resolve(slice_id)
    while state is SliceState.PLANNED and tried < TRIES_TO_SUBMIT:
        file = await build(slice_id)
        if file.requests == 0:
            return state
        # The first try may send a file that an earlier run uploaded; a later one must not.
        uploaded = await upload.with_options(refresh_cache=tried > 0)(file)
        try:
            state = await submit(slice_id, uploaded)
        except RejectedLinesError as error:
            await set_aside(slice_id, error)
            continue  # there is less to refuse now, so this ends
        except TooLargeError as error:
            await split(slice_id, str(error))
            return SliceState.FAILED
        if state is SliceState.RESERVED:
            state = await resolve(slice_id)
        tried += 1
    if state is SliceState.PLANNED:
        message = f"Slice {slice_id} could not be submitted in {TRIES_TO_SUBMIT} tries; run again."
        raise AmbiguousError(message)
    return state
