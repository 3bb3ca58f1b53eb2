"""A key's first batch job, refused for want of quota: for its size, or because the key has none.

Google gives batch jobs to keys with billing only, and refuses those of others with the same words
as one that does not fit beside what waits. Where nothing waits, a job of one request tells which.
"""

from collections.abc import Callable

from prefect import get_run_logger

from tasks.adapters import leases, room
from tasks.adapters.ledger import generations, slices
from tasks.adapters.postgres import connect
from tasks.core.errors import NoBatchError, QuotaError
from tasks.core.models import WITH_OUTPUT, WITHOUT_OUTPUT, Slice, SliceState


def try_one_request(
    slice_id: str, refused: QuotaError, submit: Callable[[str], SliceState]
) -> bool:
    """Return whether a job of one of the slice's requests was created: then it has one less.

    Nothing is tried where something else explains the refusal: a job is in flight, or was created
    in the last day. Raises NoBatchError where one request is refused too, with the slice as it was.
    """
    with leases.held("first", "job") as other:
        with connect() as connection:
            the_slice = slices.get(connection, slice_id)
        if other or not _is_first() or the_slice.state is not SliceState.PLANNED:
            return False
        one = _take_one(the_slice)
        if one is None:
            raise NoBatchError(_sentence(refused))
        try:
            submit(one)
        except QuotaError as error:
            with connect() as connection:
                generations.unite(connection, one, slice_id)
            if not _is_first():  # another process was luckier
                return False
            raise NoBatchError(_sentence(error)) from error
    get_run_logger().warning(
        "A batch job of one request was accepted, and one of %d was not: it is more than may wait"
        " for this key. BACKFILL_TIER=1 (or 2, 3: what AI Studio says) cuts jobs to what may.",
        the_slice.request_count,
    )
    return True


def _is_first() -> bool:
    """Return whether no job is in flight, of anybody, and none was created in the last day."""
    ended = WITH_OUTPUT | WITHOUT_OUTPUT
    if any(job.state not in ended for job in room.listing.jobs()):
        return False
    with connect() as connection:
        return not slices.had_jobs_lately(connection)


def _take_one(the_slice: Slice) -> str | None:
    """Return a new slice of one of the slice's targets; None where it has no more than one."""
    with connect() as connection:
        members = generations.members(connection, the_slice.slice_id)
        if len(members) <= 1:
            return None
        source = slices.lock(connection, the_slice.slice_id)
        return generations.take_out(connection, source, [members[0].doc_id])


def _sentence(refused: QuotaError) -> str:
    return (
        f"{str(refused).rstrip('.')}: batch jobs are refused although none is in flight, and even"
        " for one request, so is billing linked to the key's project? Google gives batch jobs to"
        " paid keys only: link billing in AI Studio and run again, or run with"
        " transport=interactive."
    )
