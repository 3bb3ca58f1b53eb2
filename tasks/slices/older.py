"""Jobs that were sent under another version than the site names now: paid for, so collected.

Their answers are kept under their own version and become no rows: once that version is named again
they are written for nothing.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import leases, workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers, checkpoint, generations, slices
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.core.backfill import Backfill
from tasks.core.ends import SkipReason
from tasks.core.errors import BackfillError
from tasks.core.models import BatchJob, Slice, SliceState
from tasks.core.responses import read_lines
from tasks.slices import submission
from tasks.slices.again import take_back
from tasks.writing import booking
from tasks.writing.fetching import fetch
from tasks.writing.ingest import FINISHED, clean_up, place_to_ingest
from tasks.writing.reading import Reader


@waiting_stage("jobs of other versions of {name}")
async def collect_older(name: str) -> None:
    """Keep what jobs of other versions answered; those that have not ended wait for the next run.

    What cannot be collected now is no reason for this version's run to end.
    """
    for slice_id in await _older(name):
        lease = await in_thread(leases.begin)(slice_id)
        if isinstance(lease, str):
            continue  # a process that began before the version changed is at work on it
        with leases.working(lease):
            try:
                await _collect(slice_id)
            except BackfillError as error:
                get_run_logger().warning("Slice %s stays in flight: %s", slice_id, error)


@in_thread
def _older(name: str) -> list[str]:
    with connect() as connection:
        return [each.slice_id for each in slices.older_in_flight(connection, backfills.get(name))]


async def _collect(slice_id: str) -> None:
    job = await _ended_job(slice_id)
    if job is None:
        return
    if job.is_without_output:
        await in_thread(take_back)(slice_id, f"{job.name} {job.state}")
        return
    async with place_to_ingest():
        await _keep(slice_id, await fetch(slice_id, str(job.output_file)))


@in_thread
def _ended_job(slice_id: str) -> BatchJob | None:
    """Return the slice's job once it has ended; None where it has none, or nobody knows yet."""
    if submission.look(slice_id) is not SliceState.SUBMITTED:
        return None
    with connect() as connection:
        job_name = slices.get(connection, slice_id).job_name
    job = gemini().get_job(str(job_name))
    return job if job.is_ready else None


@in_thread
def _keep(slice_id: str, path: Path) -> None:
    """Keep a slice's answers, and close it; its targets are as if never asked."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        members = generations.members(connection, slice_id)
    backfill = _under_its_version(the_slice)
    lines = read_lines(workspace.lines(path))
    reading = Reader(backfill, the_slice, is_written=False).read(members, lines)
    vectors = {
        each.member.content_hash: each.vector for each in reading.answers if each.vector is not None
    }
    with connect() as connection:
        if slices.lock(connection, slice_id).state in FINISHED:
            return
        ends = Counter(generations.ended_before(connection, slice_id))
        ends["skipped"] += len(members)
        answers.keep(connection, backfill, reading.blocks)
        answers.keep_vectors(connection, backfill, vectors)
        why = str(SkipReason.OTHER_VERSION)
        generations.skip(connection, [(member.doc_id, why) for member in members])
        used = booking.used(the_slice, reading.usage)
        booking.close(connection, slice_id, ends, used, reading.counts)
        checkpoint.say(connection, backfill, None)
    clean_up(slice_id)
    get_run_logger().info(
        "%s was answered: %d answers are kept under %s.",
        slice_id,
        sum(len(block.paid) for block in reading.blocks) + len(vectors),
        the_slice.extractor_version,
    )


def _under_its_version(the_slice: Slice) -> Backfill:
    backfill = backfills.get(the_slice.backfill)
    return replace(backfill, extractor_version=the_slice.extractor_version)
