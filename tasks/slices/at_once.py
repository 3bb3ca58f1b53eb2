"""Questions that are asked at once and belong to no run.

What a try may cost is booked before it is sent, and corrected once it is known: a process that is
killed in between leaves no dollar unbooked. It pays for that one again, as when rows are asked one
by one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from tasks.adapters import rate_limits
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers
from tasks.adapters.ledger.answers import Paid
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import usd_of
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.answers import BadReason
from tasks.core.backfill import Target
from tasks.core.ends import End, Outcome
from tasks.core.errors import (
    AccessError,
    BackfillError,
    BudgetReachedError,
    ModelGoneError,
    RejectedError,
)
from tasks.core.models import Member
from tasks.core.responses import Response, Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.slices.as_asked import AsAsked
from tasks.slices.call import reply_to
from tasks.slices.row_money import bound
from tasks.writing.reading import Reader
from tasks.writing.restore import no_slice

WAIT_SECONDS = 0.05
_REFUSED = 400
Book = Callable[[Connection, float], None]
"""Notes in the ledger what was paid, or that it was less."""
Asked = tuple[Member, Target]


class Reply(NamedTuple):
    """The last response to a content, and what that one took."""

    response: Response
    usd: float
    seconds: float


class Purse:
    """What was approved: spent and held together are never more."""

    def __init__(self, approved_usd: float) -> None:
        self.approved_usd = approved_usd
        self.spent_usd = 0.0
        self._held: list[float] = []

    async def hold(self, usd: float) -> None:
        """Hold what a try may cost; wait where others hold the rest. Raises BudgetReachedError."""
        while self.spent_usd + sum(self._held) + usd > self.approved_usd:
            if not self._held:
                raise self._reached(usd)
            await asyncio.sleep(WAIT_SECONDS)
        self._held.append(usd)

    def lose(self, usd: float) -> None:
        """Count a try as spent and hold as much for the next. Raises BudgetReachedError."""
        self.spent_usd += usd
        if self.spent_usd + sum(self._held) > self.approved_usd:
            raise self._reached(usd)

    def let_go(self, held: float, spent: float) -> None:
        """Let go what was held for a try that cost so much."""
        self._held.remove(held)
        self.spent_usd += spent

    def _reached(self, usd: float) -> BudgetReachedError:
        return BudgetReachedError(
            f"{self.spent_usd:.4f} of {self.approved_usd:.4f} USD are spent, and the next answer"
            f" may cost {usd:.4f}: approve more and start again; what was answered is kept and not"
            " paid for twice."
        )


class AtOnce:
    """Asks one version's question of some targets: as often as a run would, and keeps the answers.

    Or only to be looked at: each one time, and nothing is kept.

    Attributes:
        replies: to each content, whether its response can be used or not.
        usage: what was used, of every try that was paid; `answers` is of how many.
    """

    def __init__(self, asked: AsAsked, purse: Purse, book: Book, *, keeps: bool = True) -> None:
        self._asked = asked
        self._backfill = asked.backfill
        self._purse = purse
        self._book = book
        self._keeps = keeps
        self._queue: deque[Asked] = deque()
        self._fatal: BackfillError | None = None
        self._refused: RejectedError | None = None
        self.replies: dict[UUID, Reply] = {}
        self.usage = Usage()
        self.answers = 0

    async def run(self, wanted: Sequence[Asked]) -> None:
        """Ask every content once; raise what stops all of them, with what was answered kept."""
        self._queue.extend({member.content_hash: (member, of) for member, of in wanted}.values())
        if not self._queue:
            return
        await rate_limits.set_up(self._backfill.model)
        count = min(len(self._queue), settings().interactive_at_once)
        workers = [asyncio.create_task(self._work()) for _ in range(count)]
        try:
            await asyncio.shield(asyncio.gather(*workers))
        except asyncio.CancelledError:
            self._queue.clear()  # what is in flight is paid for: let it be kept
            await asyncio.wait(workers, timeout=settings().http_timeout_seconds)
            raise
        if self._fatal:
            raise self._fatal
        if self._refused and not self.answers:
            raise self._refused

    async def _work(self) -> None:
        while self._queue and not self._fatal:
            member, target = self._queue.popleft()
            try:
                await self._target(member, target)
            except BackfillError as error:
                self._fatal = self._fatal or error

    async def _target(self, member: Member, target: Target) -> None:
        """Ask a target until its answer can be used, or no other try can help."""
        for tried in range(self._backfill.max_attempts):
            if self._fatal:
                return
            reply = await self._once(target)
            self.replies[member.content_hash] = reply
            response = reply.response
            if not self._keeps:
                return
            if not response.is_paid:
                if response.error and response.error[0] == _REFUSED:
                    return
                continue
            outcome = await self._keep(member._replace(attempts=tried), response)
            if outcome is None or not _helps_another(outcome):
                return

    async def _once(self, target: Target) -> Reply:
        """Return one reply, paid for within what was approved."""
        most = bound_of(self._asked, target.text)
        await self._purse.hold(most)
        await self._note(most)
        spent, began = 0.0, time.monotonic()
        try:
            response = await self._response(target, most)
            spent = usd_of(self._backfill.model, response.usage, "interactive")
        finally:
            self._purse.let_go(most, spent)
            await self._note(spent - most)
        self.usage = self.usage.plus(response.usage)
        self.answers += response.is_paid
        return Reply(response, spent, time.monotonic() - began)

    async def _response(self, target: Target, most: float) -> Response:
        """Return what came, or why nothing did; raise what would be said of every target."""
        asked, key = self._asked, str(target.doc_id)
        body = asked.template.body(target.text) if asked.template else {}
        tokens = int((len(target.text.encode()) + asked.request_bytes) / BYTES_PER_TOKEN) + 1
        send, model = gemini().generate, self._backfill.model
        try:
            return await reply_to(model, key, body, send, tokens, lambda: self._lose(most))
        except (ModelGoneError, AccessError):
            raise
        except RejectedError as error:
            self._refused = self._refused or error
            return Response(key, error=(_REFUSED, str(error)))

    async def _lose(self, most: float) -> None:
        """Leave a try booked that had no reply: it may have been paid; hold what the next costs."""
        self._purse.lose(most)
        await self._note(most)

    @in_thread
    def _note(self, usd: float) -> None:
        with connect() as connection:
            self._book(connection, usd)

    @in_thread
    def _keep(self, member: Member, response: Response) -> Outcome | None:
        """Keep an answer; return its end, as a run would give it."""
        backfill = replace(self._backfill, embedding=None)
        reading = Reader(backfill, no_slice(backfill)).read([member], [response])
        blocks = reading.blocks
        if self._backfill.embedding:
            # Without a vector it becomes no row: a run asks for both.
            blocks = answers.packed([Paid(member.content_hash, response, is_usable=False)])
        with connect() as connection:
            answers.keep(connection, self._backfill, blocks)
        return next((each.outcome for each in reading.answers), None)


def bound_of(asked: AsAsked, text: str) -> float:
    """Return what one try may cost."""
    return bound(asked.backfill, text, asked.request_bytes)


def _helps_another(outcome: Outcome) -> bool:
    return outcome.end is End.BAD and BadReason(str(outcome.reason)).is_asked_again
