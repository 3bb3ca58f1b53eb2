"""Rows asked at once, each one time, within a cap in dollars."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from prefect import get_run_logger

from tasks.adapters import rate_limits
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import tries
from tasks.adapters.picked import Picked
from tasks.adapters.postgres import connect
from tasks.adapters.reference import usd_of
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import ModelApiError, NoReplyError, PreflightError
from tasks.core.responses import Response, Usage, read_body
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.slices.requests import request_bytes, template_of
from tasks.slices.row_money import most_answer_usd


class Asked(NamedTuple):
    """A row, and what came; without a reply what the service said instead."""

    row: Picked
    response: Response | None
    seconds: float
    usd: float = 0.0
    error: ModelApiError | None = None


async def ask(
    chosen: Backfill, rows: Sequence[Picked], cap_usd: float, flow_run_id: str | None
) -> list[Asked]:
    """Return what came for the rows that the cap allows; it is recorded what that cost.

    Raises PreflightError where it allows none, and what the service said where none was
    answered.
    """
    most = [most_answer_usd(chosen, row.target.text) for row in rows]
    get_run_logger().info(
        "%s: at most %.4f USD for one of these %d rows, %.4f for all; the cap is %.4f.",
        *(chosen.model, max(most), len(rows), sum(most), cap_usd),
    )
    if cap_usd < min(most):
        raise PreflightError(
            f"A cap of {cap_usd:.4f} USD is below one request: of {chosen.model} one may cost"
            f" {min(most):.4f} here. Nothing was asked."
        )
    await rate_limits.set_up(chosen.model)
    found = await _Try(chosen, await _begin(chosen, cap_usd, flow_run_id), cap_usd).run(rows)
    errors = [each.error for each in found if each.error]
    if errors and len(errors) == len(found):
        raise errors[0]
    return found


@in_thread
def _begin(chosen: Backfill, cap_usd: float, flow_run_id: str | None) -> UUID:
    with connect() as connection:
        return tries.begin(connection, chosen, cap_usd, flow_run_id)


class _Try:
    """One try: as many rows at once as are still within its cap at their dearest."""

    def __init__(self, chosen: Backfill, try_id: UUID, cap_usd: float) -> None:
        self._chosen = chosen
        self._try_id = try_id
        self._left = cap_usd

    async def run(self, rows: Sequence[Picked]) -> list[Asked]:
        queue, found = deque(rows), list[Asked]()
        while some := self._within(queue):
            found += await asyncio.gather(*(self._row(row, most) for row, most in some))
        return found

    def _within(self, queue: deque[Picked]) -> list[tuple[Picked, float]]:
        """Take rows off the queue, and what they may cost off what is left."""
        some: list[tuple[Picked, float]] = []
        while queue and len(some) < settings().interactive_at_once:
            most = most_answer_usd(self._chosen, queue[0].target.text)
            if most > self._left:
                break
            self._left -= most
            some.append((queue.popleft(), most))
        return some

    async def _row(self, row: Picked, most: float) -> Asked:
        text = row.target.text
        tokens = (request_bytes(self._chosen) + len(text.encode())) / BYTES_PER_TOKEN
        await rate_limits.turn(self._chosen.model, int(tokens) + 1)
        began = time.monotonic()
        try:
            reply = await self._send(text, most)
        except ModelApiError as error:
            if not isinstance(error, NoReplyError):  # else it may have been paid, and stays held
                await self._book(most, Usage())
            return Asked(row, None, time.monotonic() - began, error=error)
        seconds, response = time.monotonic() - began, read_body(row.target.target_id, reply)
        return Asked(row, response, seconds, await self._book(most, response.usage))

    @in_thread
    def _send(self, text: str, most: float) -> dict[str, Any]:
        with connect() as connection:
            tries.hold(connection, self._try_id, most, 1)
        return gemini().generate(self._chosen.model, template_of(self._chosen).body(text))

    @in_thread
    def _book(self, most: float, usage: Usage) -> float:
        """Book what a reply cost; return it."""
        usd = usd_of(self._chosen.model, usage, "interactive")
        with connect() as connection:
            tries.book(connection, self._try_id, most, usd, usage)
        self._left += most - usd
        return usd
