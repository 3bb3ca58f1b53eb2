"""A slice that is asked one by one, as the ledger has it: begun, put back, closed."""

import asyncio
from typing import Self

from tasks import backfills
from tasks.adapters.ledger import budget, generations, slices
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import in_thread
from tasks.core.ends import End, SkipReason
from tasks.core.models import Member, Slice, SliceResult, SliceState
from tasks.writing.ingest import FINISHED, result_of
from tasks.writing.transaction import Ingestion

WAIT_SECONDS = 0.5
"""Between two looks at what is left of an approval that others hold."""


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


class Held:
    """What one row may cost, held while it is asked: `async with Held(...) as money`."""

    def __init__(self, slice_id: str, usd: float) -> None:
        self._slice_id = slice_id
        self._usd = usd
        self._left = 0.0

    async def __aenter__(self) -> Self:
        """Hold it; wait where others hold the rest. Raises BudgetReachedError."""
        while not self._left:
            self._left = self._usd if await self._hold() else 0.0
            if not self._left:
                await asyncio.sleep(WAIT_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go what was not spent."""
        if self._left:
            await self._let_go()

    async def lose_a_try(self) -> None:
        """Book a try that had no reply, because it may have been paid; hold what the next costs."""
        await self._book()
        await self.__aenter__()

    def spent(self, connection: Connection, usd: float | None = None) -> None:
        """Let go so much, or all, in the transaction that books what was paid instead."""
        budget.let_go(connection, self._slice_id, self._left if usd is None else usd)
        self._left = 0.0 if usd is None else max(0.0, self._left - usd)

    @in_thread
    def _hold(self) -> bool:
        with connect() as connection:
            return budget.hold(connection, self._slice_id, self._usd)

    @in_thread
    def _let_go(self) -> None:
        with connect() as connection:
            self.spent(connection)

    @in_thread
    def _book(self) -> None:
        with connect() as connection:
            slices.add_cost(connection, self._slice_id, self._left)
            self.spent(connection)


@in_thread
def open_members(slice_id: str) -> list[Member]:
    """Return the slice's targets that have no end yet."""
    with connect() as connection:
        return generations.members(connection, slice_id)


@in_thread
def was_answered(the_slice: Slice) -> bool:
    """Return whether any row of the run had an answer."""
    with connect() as connection:
        backfill = backfills.get(the_slice.backfill)
        return slices.were_answered(connection, backfill, the_slice.run_id)


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
