"""What a row may cost that is asked at once: held meanwhile, booked if it had no reply."""

import asyncio
from typing import Self

from tasks.adapters.ledger import budget, slices
from tasks.adapters.ledger.budget import GUESSED_INPUT, SEARCHES
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models, usd_of
from tasks.adapters.stages import in_thread
from tasks.core.asking import output_limit
from tasks.core.backfill import Backfill
from tasks.core.responses import Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.slices.requests import request_bytes

WAIT_SECONDS = 0.5
"""Between two looks at what is left of an approval that others hold."""


def most_usd(backfill: Backfill, text: str, limit: int | None) -> float:
    """Return what one try of a row may cost, a vector before it too."""
    usd = most_answer_usd(backfill, text, limit)
    if backfill.embedding:
        asked = Usage(input_tokens=_most_tokens(text))
        usd += usd_of(backfill.embedding.model, asked, "interactive")
    return usd


def most_answer_usd(backfill: Backfill, text: str, limit: int | None = None) -> float:
    """Return what one answer about a text may cost."""
    return bound(backfill, text, request_bytes(backfill), limit)


def bound(backfill: Backfill, text: str, fixed_bytes: float, limit: int | None = None) -> float:
    """Return what one answer may cost, by its request and the most that may come back."""
    searches = SEARCHES if backfill.google_search else 0
    asked = Usage(
        input_tokens=_most_tokens(text) + int(fixed_bytes / BYTES_PER_TOKEN),
        output_tokens=limit or output_limit(backfill, models().find(backfill.model)),
        searches=searches,
        searched=min(1, searches),
    )
    return usd_of(backfill.model, asked, "interactive")


def _most_tokens(text: str) -> int:
    return round(GUESSED_INPUT * len(text.encode()) / BYTES_PER_TOKEN) + 1


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
