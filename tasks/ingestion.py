"""One slice's answers into the user's table, the ledger and the checkpoint: one transaction."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks import backfills
from tasks.adapters import records, targets, workspace
from tasks.adapters.database import Connection, connect
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import checkpoint, generations, slices
from tasks.adapters.price_list import prices
from tasks.core.answers import Answered, Refused, judge
from tasks.core.backfill import Answer, Backfill, Record, Target
from tasks.core.errors import BackfillError, SumsError
from tasks.core.grounding import Text
from tasks.core.joining import Join
from tasks.core.joining import Outcome as Reply
from tasks.core.models import Member, Slice, SliceResult, SliceState
from tasks.core.outcomes import End, Outcome, SliceTotals
from tasks.core.responses import read_lines

FINISHED = (SliceState.DONE, SliceState.FAILED)


@task(
    task_run_name="ingest {slice_id}",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=[2, 10, 30],
)
async def ingest(slice_id: str, path: Path) -> SliceResult:
    """Return the slice's ends after writing its answers; doing it again changes nothing."""
    result = await asyncio.to_thread(ingest_slice, slice_id, path)
    get_run_logger().info(
        "%d written, %d empty, %d bad, %d skipped, %.4f USD",
        result.written,
        result.empty,
        result.bad,
        result.skipped,
        result.cost_usd,
    )
    await asyncio.to_thread(clean_up, slice_id)
    return result


@task(task_run_name="close {slice_id}", cache_policy=NO_CACHE, retries=3, retry_delay_seconds=5)
async def close(slice_id: str) -> SliceResult:
    """Return the ends of a slice of which nothing could be asked."""
    return await asyncio.to_thread(ingest_slice, slice_id, None)


def ingest_slice(slice_id: str, path: Path | None) -> SliceResult:
    """Write a slice's rows and ends, its totals and the checkpoint, all or nothing."""
    with connect() as connection:
        each = slices.lock(connection, slice_id)
        if each.state not in FINISHED:
            _Ingestion(connection, each).run(path)
            each = slices.get(connection, slice_id)
    return result_of(each)


def result_of(each: Slice) -> SliceResult:
    """Return what the ledger says of a slice."""
    return SliceResult(
        slice_id=each.slice_id,
        state=each.state,
        written=each.written,
        empty=each.empty,
        bad=each.bad,
        skipped=each.skipped,
        cost_usd=each.cost_usd,
        message=each.error,
    )


def clean_up(slice_id: str) -> None:
    """Delete the slice's job and files, here and at the service; only after the commit."""
    with connect() as connection:
        each = slices.get(connection, slice_id)
    workspace.discard(slice_id)
    try:
        if each.job_name:
            gemini().delete_job(each.job_name)
        if each.input_file:
            gemini().delete_file(each.input_file)
    except BackfillError as error:
        get_run_logger().warning("Leftovers of slice %s stay at the service: %s", slice_id, error)


class _Ingestion:
    """The transaction of one slice."""

    def __init__(self, connection: Connection, each: Slice) -> None:
        self._connection = connection
        self._slice = each
        self._backfill: Backfill = backfills.get(each.backfill)
        self._totals = SliceTotals()
        self._outcomes: list[Outcome] = []
        self._created_at = datetime.now(UTC)

    def run(self, path: Path | None) -> None:
        connection = self._connection
        members = generations.members(connection, self._slice.slice_id)
        present, gone = targets.current(connection, self._backfill, members)
        join = self._read(present, path)
        replaced = generations.replaced_targets(connection, self._slice.slice_id)
        records.delete(connection, self._backfill, replaced)
        attempts = {member.doc_id: member.attempts for member in members}
        replies = join.outcomes(partial(judge, answer_model=self._backfill.answer))
        records.write(connection, self._backfill, self._records(present, replies, attempts))
        for member, why in gone:
            self._end(Outcome(member.doc_id, End.SKIPPED, str(why)))
        self._settle(members, join)

    def _read(self, present: Sequence[Target], path: Path | None) -> Join[Any]:
        join: Join[Any] = Join(str(target.doc_id) for target in present)
        if path is not None:
            with path.open("rb") as file:
                join.read(read_lines(file))
        for name in ("duplicates", "unknown", "unreadable"):
            if count := getattr(join, name):
                self._totals.measures[f"lines:{name}"] = count
        return join

    def _records(
        self,
        present: Sequence[Target],
        replies: Iterable[Reply[Any]],
        attempts: Mapping[Any, int],
    ) -> Iterator[Record]:
        """Yield the rows of every usable answer, and note every target's end on the way."""
        for target, reply in zip(present, replies, strict=True):
            is_last = attempts[target.doc_id] + 1 >= self._backfill.max_attempts
            answered = _usable(reply.verdict, is_last=is_last)
            if isinstance(answered, Refused):
                self._end(_bad(target, reply, answered))
                continue
            written = 0
            for record in self._backfill.records(self._answer(target, reply, answered)):
                written += 1
                yield record
            self._end(_good(target, reply, answered, written))

    def _answer(self, target: Target, reply: Reply[Any], answered: Answered[Any]) -> Answer:
        return Answer(
            target=target,
            value=answered.answer,
            lost_items=answered.lost_items,
            model=self._backfill.model,
            extractor_version=self._backfill.extractor_version,
            created_at=self._created_at,
            grounding=Text(target.text),
            counts=self._totals.measures,
            grounding_metadata=reply.response and reply.response.grounding_metadata,
        )

    def _end(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._totals.add(outcome)

    def _settle(self, members: Sequence[Member], join: Join[Any]) -> None:
        """Give every member its end, the slice its totals, the checkpoint its count."""
        before = generations.ended_before(self._connection, self._slice.slice_id)
        ended = generations.end(self._connection, self._outcomes)
        if ended != len(members) or ended != self._totals.requests:
            message = (
                f"Slice {self._slice.slice_id} has {len(members)} open targets, but {ended} ends"
                " were recorded: nothing of it was written."
            )
            raise SumsError(message)
        usage = join.usage
        tokens_out = usage.output_tokens + usage.thought_tokens
        price = prices().models[self._slice.model]
        ends = self._totals.ends
        slices.close(
            self._connection,
            self._slice.slice_id,
            {
                "written": ends[End.WRITTEN],
                "empty": ends[End.EMPTY],
                # What could not be asked had its end before: skipped or set aside.
                "bad": ends[End.BAD] + before.get(End.BAD, 0),
                "skipped": ends[End.SKIPPED] + before.get(End.SKIPPED, 0),
                "input_tokens": usage.input_tokens,
                "output_tokens": tokens_out,
                "cost_usd": price.usd(usage.input_tokens, tokens_out, "batch"),
                "measures": orjson.dumps(self._totals.measures).decode(),
            },
        )
        last = max((member.target_id for member in members), default=None)
        checkpoint.advance(self._connection, self._backfill, status="running", position=last)


def _usable(
    verdict: Answered[Any] | Refused[Any], *, is_last: bool
) -> Answered[Any] | Refused[Any]:
    """Return the answer; of one that was cut off what could be read, once asking again is over."""
    if isinstance(verdict, Refused) and verdict.salvaged and is_last:
        return verdict.salvaged
    return verdict


def _good(target: Target, reply: Reply[Any], answered: Answered[Any], written: int) -> Outcome:
    note = "lost_items" if answered.lost_items else "repaired" if answered.repaired else None
    return _outcome(target, reply, End.WRITTEN if written else End.EMPTY, note)


def _bad(target: Target, reply: Reply[Any], why: Refused[Any]) -> Outcome:
    return _outcome(target, reply, End.BAD, str(why.reason), why.detail)


def _outcome(
    target: Target, reply: Reply[Any], end: End, reason: str | None, detail: str | None = None
) -> Outcome:
    response = reply.response
    if response is None:
        return Outcome(target.doc_id, end, reason, detail)
    return Outcome(
        target.doc_id,
        end,
        reason,
        detail,
        input_tokens=response.usage.input_tokens,
        output_tokens=response.usage.output_tokens + response.usage.thought_tokens,
        model_version=response.model_version,
        raw=response.text if end is End.BAD else None,
    )
