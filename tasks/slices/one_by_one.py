"""Slices that are asked one by one: for few rows, within rate limits, each row in its own commit.

A row that is killed between its answer and its commit is asked, and paid, again: the service keeps
nothing to come back for. There are never more of them in one process than `interactive_at_once`.

A row that the service refuses is given up only once it answers another: else all are refused alike,
none of them is at fault, and the run stops with every row as it was.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping
from uuid import UUID

from prefect import get_run_logger

from tasks.adapters import rate_limits, rows, telemetry
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers, slices
from tasks.adapters.postgres import connect
from tasks.adapters.processes import Places
from tasks.adapters.reference import models, usd_of
from tasks.adapters.refusals import Refusal
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.core.answers import Refused
from tasks.core.backfill import Backfill, Target
from tasks.core.embeddings import judge_unit, readable
from tasks.core.ends import End
from tasks.core.errors import (
    AccessError,
    BackfillError,
    BudgetReachedError,
    ModelGoneError,
    QuotaError,
    RejectedError,
    TableRefusesError,
)
from tasks.core.models import Member, Slice, SliceResult
from tasks.core.refusals import all_alike
from tasks.core.requests import UnsendableTextError
from tasks.core.responses import Response, Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.core.suspects import ALIKE, Suspect, Suspects
from tasks.slices.as_asked import backfill_of
from tasks.slices.begun import begin, close_asked, open_members, put_back, skip, was_answered
from tasks.slices.call import Send, reply_to
from tasks.slices.pause import waits
from tasks.slices.requests import embedding_template, request_bytes, template_of
from tasks.slices.row_money import Held, most_usd
from tasks.writing.ingest import FINISHED, result_of
from tasks.writing.project import refused_alike
from tasks.writing.reading import Reader
from tasks.writing.transaction import Ingestion

PROGRESS_SECONDS = 10.0

_in_flight = Places(lambda: settings().interactive_at_once)
"""The rows that are asked and not yet written, of all slices together."""


@waiting_stage("ask {slice_id}")
async def ask(slice_id: str) -> SliceResult:
    """Ask every target of a slice that has no end yet; return the ends of all of them."""
    the_slice = await begin(slice_id)
    if the_slice.state in FINISHED:
        return result_of(the_slice)
    try:
        await _OneByOne(the_slice, await backfill_of(slice_id)).run()
    except (QuotaError, RejectedError, BudgetReachedError):
        await put_back(slice_id)
        raise
    return await close_asked(slice_id)


class _RefusedError(Exception):
    """A model's clear no to one request, whoever is at fault."""

    def __init__(self, model: str, said: str) -> None:
        super().__init__(said)
        self.model = model


class _OneByOne:
    """The open targets of one slice, a few at once."""

    def __init__(self, the_slice: Slice, backfill: Backfill) -> None:
        self._slice = the_slice
        self._backfill = backfill
        self._queue: deque[Member] = deque()
        self._ends: Counter[str] = Counter()
        self._suspects = Suspects()
        self._refusals: list[Refusal] = []
        self._fatal: BackfillError | None = None
        self._all = 0
        self._shown = self._started = time.monotonic()

    async def run(self) -> None:
        """Ask them all; raise what stops every row, a day's quota too, with what is done kept."""
        self._queue.extend(await open_members(self._slice.slice_id))
        self._all = len(self._queue)
        for model in self._models():
            await rate_limits.set_up(model)
        workers = [asyncio.create_task(self._work()) for _ in range(settings().interactive_at_once)]
        try:
            await asyncio.shield(asyncio.gather(*workers))
        except asyncio.CancelledError:
            self._queue.clear()  # what is in flight is paid for: let it be written
            await asyncio.wait(workers, timeout=settings().http_timeout_seconds)
            get_run_logger().warning("Interrupted: %s. Run again to go on.", self._progress())
            raise
        if not self._fatal:
            await self._settle()
        get_run_logger().info("%s.", self._progress())
        if self._fatal:
            raise self._fatal

    def _models(self) -> list[str]:
        spec = self._backfill.embedding
        return [self._backfill.model, *([spec.model] if spec else [])]

    async def _work(self) -> None:
        while self._queue and not self._fatal:
            async with _in_flight.place():
                await self._next()
            if time.monotonic() - self._shown > PROGRESS_SECONDS:
                self._shown = time.monotonic()
                get_run_logger().info("%s.", self._progress())

    async def _next(self) -> None:
        # While this one waited for its place, the others may have come to the end.
        if await waits(self._backfill) or not self._queue or self._fatal:
            return
        member = self._queue.popleft()
        try:
            end = await self._row(member)
        except _RefusedError as error:
            self._hold(Suspect(member, error.model, str(error)))
        except (QuotaError, RejectedError, BudgetReachedError) as error:
            self._fatal = self._fatal or error
        else:
            self._ends[end] += 1

    def _hold(self, suspect: Suspect) -> None:
        """Keep a refused row back; so many refused alike stop the run."""
        if (count := self._suspects.hold(suspect)) >= ALIKE:
            self._fatal = self._fatal or self._common(suspect, count)

    async def _settle(self) -> None:
        """End the rows that are still held as bad, if others of the run were answered."""
        unclear = self._suspects.unclear()
        if unclear and not await was_answered(self._backfill, self._slice.run_id):
            self._fatal = self._common(unclear[0], len(unclear))
        else:
            await self._give_up(self._suspects.rest())

    def _common(self, suspect: Suspect, count: int) -> RejectedError:
        return RejectedError(all_alike(self._backfill.name, suspect.model, count, suspect.said))

    async def _give_up(self, suspects: list[Suspect]) -> None:
        """End rows as bad whose own fault their refusal is."""
        for member, model, said in suspects:
            question = "" if model == self._backfill.model else "embedding: "
            response = Response(str(member.doc_id), error=(400, f"{question}{said}"))
            self._ends[await self._write(member, response, 0.0)] += 1

    def _progress(self) -> str:
        done = self._ends.total()
        rate = done / max(time.monotonic() - self._started, 0.001)
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self._ends.items())) or "none"
        left = f"{(self._all - done) / rate / 60:.1f} min left" if rate else "no end in sight"
        return f"{done} of {self._all} rows ({ends}), {rate * 60:.1f} a minute, {left}"

    async def _row(self, member: Member) -> str:
        """Ask one target and write what came; return its end."""
        target, vector = await self._look_up(member)
        if target is None:
            return await self._write(member, None, 0.0)
        most = most_usd(self._backfill, target.text, self._slice.max_output_tokens)
        async with Held(self._slice.slice_id, most) as money:
            try:
                refused, usd = (None, 0.0) if vector else await self._embed(member, target, money)
                response = refused or await self._generate(target, money)
            except UnsendableTextError as error:
                return await skip(member, error.skip_reason)
            return await self._write(member, response, usd, money)

    @in_thread
    def _look_up(self, member: Member) -> tuple[Target | None, bool]:
        with connect() as connection:
            present, _ = rows.current(connection, self._backfill, [member])
            needs_none = self._backfill.embedding is None
            known = needs_none or bool(answers.with_vector(connection, self._backfill, [member]))
        return (present[0] if present else None), known

    async def _embed(
        self, member: Member, target: Target, money: Held
    ) -> tuple[Response | None, float]:
        """Store the target's vector; return a response that says why there is none, and dollars."""
        spec = self._backfill.embedding
        if spec is None:
            return None, 0.0
        text = readable(spec, target.text, models().find(spec.model).input_limit)
        body = embedding_template(spec).body(text)
        tokens = _tokens(text)
        call = self._call(spec.model, str(target.doc_id), body, gemini().embed, tokens, money)
        response = await call
        verdict = judge_unit(response, spec.dimensions)
        usd = usd_of(spec.model, Usage(input_tokens=tokens), "interactive")
        if isinstance(verdict, Refused):
            code = response.error[0] if response.error else 0
            return Response(response.key, error=(code, f"embedding: {verdict.detail}")), usd
        await self._keep_vector(member.content_hash, verdict.answer, usd, money)
        return None, 0.0

    @in_thread
    def _keep_vector(
        self, content_hash: UUID, vector: list[float], usd: float, money: Held
    ) -> None:
        """Keep what was paid for, and that it was, whatever becomes of the answer."""
        with connect() as connection:
            answers.keep_vectors(connection, self._backfill, {content_hash: vector})
            slices.add_cost(connection, self._slice.slice_id, usd)
            money.spent(connection, usd)

    async def _generate(self, target: Target, money: Held) -> Response:
        body = template_of(self._backfill).body(target.text, self._slice.max_output_tokens)
        tokens = _tokens(target.text) + int(request_bytes(self._backfill) / BYTES_PER_TOKEN)
        return await self._call(
            self._backfill.model, str(target.doc_id), body, gemini().generate, tokens, money
        )

    async def _call(  # noqa: PLR0913, PLR0917 - whom to ask, what, how, and for how much
        self,
        model: str,
        key: str,
        body: Mapping[str, object],
        send: Send,
        tokens: int,
        money: Held,
    ) -> Response:
        """Return the response; raise _RefusedError where the row or all may be at fault."""
        try:
            response = await reply_to(model, key, body, send, tokens, money.lose_a_try)
        except (ModelGoneError, AccessError):
            raise
        except RejectedError as error:
            raise _RefusedError(model, str(error)) from error
        if response.error is None:
            await self._give_up(self._suspects.answered(model))
        return response

    @in_thread
    def _write(
        self, member: Member, response: Response | None, usd: float, money: Held | None = None
    ) -> End:
        lines = [response] if response else []
        reading = Reader(self._backfill, self._slice).read([member], lines)
        with connect() as connection:
            if money:
                money.spent(connection)
            the_slice = slices.lock(connection, self._slice.slice_id)
            writing = Ingestion(connection, the_slice, self._backfill)
            end = writing.write_target(reading, usd)
        telemetry.emit(writing.observed)
        self._note(writing.refusals)
        return end

    def _note(self, refusals: list[Refusal]) -> None:
        """Ask no more where the table takes the rows of no answer, for one and the same reason."""
        self._refusals += refusals
        if refusals and not self._ends[End.WRITTEN]:
            said = refused_alike(self._backfill, self._refusals)
            self._fatal = TableRefusesError(said) if said else self._fatal


def _tokens(text: str) -> int:
    return int(len(text.encode()) / BYTES_PER_TOKEN) + 1
