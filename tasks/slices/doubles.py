"""A slice's second job: cancelled while that saves money; if it was paid, its answers are kept.

A creation that the service carries out, or lists, later than anybody waits for it cannot be ruled
out. So jobs of a slice's name are looked for once more before its answers are written, when the run
ends, and by the audit.
"""

from functools import partial
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import room, traces, workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers, generations, jobs, slices, versions
from tasks.adapters.ledger.answers import Paid, packed
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import SERVICE_AWAY, stage
from tasks.core.answers import Answered, judge
from tasks.core.backfill import Backfill
from tasks.core.models import PAID_TWICE, PAID_TWICE_USD, WITH_OUTPUT, BatchJob, Slice, SliceState
from tasks.core.money import paid_twice
from tasks.core.packing import keys_in
from tasks.core.responses import Response, Usage, read_lines
from tasks.core.wire import on_diet
from tasks.writing import booking
from tasks.writing.ingest import clean_up


def cancel_doubles(job: BatchJob) -> None:
    """Cancel all other jobs of the same name that have not ended."""
    for other in room.listing.jobs():
        is_double = other.display_name == job.display_name and other.name != job.name
        if is_double and not _has_ended(other):
            _cancel(other)


@stage("doubles of {name}", **SERVICE_AWAY)
def settle_doubles(name: str, run_id: UUID) -> str:
    """Cancel every second job of a backfill's slices, or keep its answers and book what it cost.

    What a kill after the commit has left of slices that are done goes too, here and at the service.
    Returns one more sentence about doubles of other runs, which have said their last.
    """
    late: list[tuple[int, float]] = []
    listed = [job for job in gemini().list_jobs() if job.display_name]
    with connect() as connection:
        names = [str(job.display_name) for job in listed]
        known = jobs.by_display_name(connection, backfills.get(name), names)
    for job in listed:
        the_slice = known.get(str(job.display_name))
        if the_slice is None or the_slice.job_name is None:
            continue
        if the_slice.job_name == job.name:
            if _is_needless(the_slice, job):
                clean_up(the_slice.slice_id)
            continue
        if job.output_file and the_slice.state is not SliceState.DONE:
            continue  # its own sums are still to come, and would replace these
        if not _has_ended(job):
            _cancel(job)
            continue
        if job.output_file:
            twice = _keep(the_slice, job)
            late += [twice] if the_slice.run_id != run_id else []
        gemini().delete_job(job.name)
    _discard_files()
    rows, usd = sum(rows for rows, _ in late), sum(usd for _, usd in late)
    return paid_twice(rows, usd, ", of an earlier run")


def _discard_files() -> None:
    with connect() as connection:
        ended = jobs.ended_of(connection, traces.slices_with_files())
    for slice_id in ended:
        workspace.discard(slice_id)


def _is_needless(the_slice: Slice, job: BatchJob) -> bool:
    """Return whether a slice's own job has nothing that anybody could still want."""
    is_empty = the_slice.state is SliceState.FAILED and job.is_without_output
    return the_slice.state is SliceState.DONE or is_empty


def _has_ended(job: BatchJob) -> bool:
    return job.is_without_output or job.state in WITH_OUTPUT


def _cancel(job: BatchJob) -> None:
    get_run_logger().warning("%s is a second job of %s: cancelled.", job.name, job.display_name)
    gemini().cancel_job(job.name)


def _keep(the_slice: Slice, job: BatchJob) -> tuple[int, float]:
    """Keep what a second job answered, and book it, once; return rows and dollars."""
    path = workspace.responses_path(f"{the_slice.slice_id}.double")
    gemini().download(str(job.output_file), path)
    found = [each for each in read_lines(workspace.lines(path)) if isinstance(each, Response)]
    paid = [response for response in found if response.is_paid]
    usage = Usage()
    for response in paid:
        usage = usage.plus(response.usage)
    backfill = backfills.get(the_slice.backfill)
    version = backfill.extractor_version
    with connect() as connection:
        the_slice = slices.lock(connection, the_slice.slice_id)
        if job.name in the_slice.measures:
            return 0, 0.0
        usd = booking.used(the_slice, usage)[2]
        count = sum(len(keys_in(response.key)) for response in paid)
        said: dict[str, float] = {PAID_TWICE: count, PAID_TWICE_USD: usd, job.name: 1}
        booking.add_usage(connection, the_slice, usage, said)
        # What another version was asked is no answer to this one's question.
        if the_slice.question == "answer" and the_slice.extractor_version == version:
            answers.keep(connection, backfill, packed(_answers(connection, backfill, paid)))
    path.unlink(missing_ok=True)
    get_run_logger().warning("%d rows were paid twice by %s: %.4f USD.", count, job.name, usd)
    return count, usd


def _answers(connection: Connection, backfill: Backfill, paid: list[Response]) -> list[Paid]:
    """Return answers to be kept; of those to several rows nobody has shown whose they are."""
    hashes = generations.content_hashes(connection, [response.key for response in paid])
    model = on_diet(backfill.answer_model, versions.wire(connection, backfill))
    read = partial(judge, answer_model=model)
    return [
        Paid(hashes[response.key], response, isinstance(read(response), Answered))
        for response in paid
        if response.key in hashes
    ]
