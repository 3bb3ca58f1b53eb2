"""A slice that is asked one by one, as the ledger has it: begun, put back, closed."""

from uuid import UUID

from tasks.adapters.ledger import budget, generations, slices
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.ends import End, SkipReason
from tasks.core.models import Member, Slice, SliceResult, SliceState
from tasks.writing.ingest import FINISHED, result_of
from tasks.writing.transaction import Ingestion


@in_thread
def begin(slice_id: str) -> Slice:
    """Reserve the slice, unless it was begun before; return it.

    What was in flight when an earlier process died may have been paid: it is booked at its most.
    """
    with connect() as connection:
        if slices.lock(connection, slice_id).state is SliceState.PLANNED:
            budget.reserve_nothing(connection, slice_id)
            slices.begin_at_once(connection, slice_id)
        else:
            budget.book_lost_tries(connection, slice_id)
        return slices.get(connection, slice_id)


@in_thread
def open_members(slice_id: str) -> list[Member]:
    """Return the slice's targets that have no end yet."""
    with connect() as connection:
        return generations.members(connection, slice_id)


@in_thread
def was_answered(backfill: Backfill, run_id: UUID) -> bool:
    """Return whether any row of the run had an answer."""
    with connect() as connection:
        return slices.were_answered(connection, backfill, run_id)


@in_thread
def put_back(slice_id: str) -> None:
    """Plan a slice again of which nothing was answered, so that it may still go another way."""
    with connect() as connection:
        slices.put_back(connection, slice_id)


@in_thread
def skip(member: Member, why: SkipReason) -> str:
    """End a target that cannot be sent; return its end."""
    with connect() as connection:
        generations.skip(connection, [(member.doc_id, why)])
    return End.SKIPPED


@in_thread
def close_asked(slice_id: str) -> SliceResult:
    """Close a slice whose targets were written one by one; return its ends."""
    with connect() as connection:
        the_slice = slices.lock(connection, slice_id)
        if the_slice.state not in FINISHED:
            Ingestion(connection, the_slice).close_slice()
            the_slice = slices.get(connection, slice_id)
    return result_of(the_slice)
