"""What did not work: jobs that ended without answers, answers that could not be used."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import workspace
from tasks.adapters.ledger import generations, runs, slices
from tasks.adapters.postgres import Connection, Row, connect
from tasks.adapters.reference import models
from tasks.adapters.stages import stage
from tasks.core.another_try import limit_again
from tasks.core.answers import BadReason
from tasks.core.asking import output_limit
from tasks.core.errors import RejectedLinesError
from tasks.core.models import Slice, SliceResult, SliceState
from tasks.core.packing import keys_in
from tasks.core.refusals import is_particular, named_lines
from tasks.slices.patience import Again, Unanswered
from tasks.writing.ingest import FINISHED, result_of

MAX_JOBS = 4
"""Jobs that may carry the same targets: whole, halves, quarters, eighths."""

ASKED_AGAIN = tuple(str(reason) for reason in BadReason if reason.is_asked_again)
ROWS_PER_RETRY = 5000


@stage("give back {slice_id}", retries=3, retry_delay_seconds=5)
def give_back(slice_id: str, cause: str) -> SliceResult:
    """Give a failed job's targets to new slices, in two halves, or end them as bad."""
    get_run_logger().warning("Slice %s: %s", slice_id, cause)
    with connect() as connection:
        the_slice = slices.lock(connection, slice_id)
        if the_slice.state in FINISHED:
            return result_of(the_slice)
        if the_slice.attempt >= MAX_JOBS:
            generations.give_up(connection, slice_id, BadReason.JOB_FAILED, cause)
        elif keys := _keys_at_fault(connection, the_slice, named_lines(cause)):
            _end_as_rejected(connection, keys, cause)
            _move_parts(connection, the_slice, the_slice.attempt + 1, parts=1)
        else:
            _move_parts(connection, the_slice, the_slice.attempt + 1)
        slices.fail(connection, slice_id, cause)
    return SliceResult(slice_id=slice_id, state=SliceState.FAILED, message=cause)


@stage("set aside in {slice_id}")
def set_aside(slice_id: str, error: RejectedLinesError) -> None:
    """End the lines that the service names as bad; raise its error when the fault is general."""
    with connect() as connection:
        the_slice = slices.lock(connection, slice_id)
        keys = _keys_at_fault(connection, the_slice, error.lines)
        if not keys:
            raise error
        _end_as_rejected(connection, keys, str(error))
    get_run_logger().warning("%s Set aside: %s", error, ", ".join(keys))


@stage("split {slice_id}", retries=3, retry_delay_seconds=5)
def split(slice_id: str, cause: str) -> None:
    """Give a slice's targets to two slices of half the size; end a lone one as bad."""
    get_run_logger().warning("Slice %s is split in two: %s", slice_id, cause)
    with connect() as connection:
        the_slice = slices.lock(connection, slice_id)
        if the_slice.state is not SliceState.PLANNED:
            return
        if len(generations.members(connection, slice_id)) == 1:
            generations.give_up(connection, slice_id, BadReason.REJECTED_LINE, cause)
        else:
            # No job carried them yet: halving ends by itself and counts as no attempt.
            _move_parts(connection, the_slice, the_slice.attempt)
        slices.fail(connection, slice_id, cause)


@stage("retry round of {name}", retries=3, retry_delay_seconds=5)
def plan_retries(name: str, run_id: UUID, left_alone: int = 0) -> Again:
    """Plan slices for bad answers that another try can help; return what they are.

    Requests that the service fails at stay bad for this run when they are fewer than `left_alone`.
    """
    backfill = backfills.get(name)
    model = models().find(backfill.model)
    # What was asked in a declared wave, or another question, stays there; so does a try, which has
    # its temperature.
    alike: dict[tuple[str, int, int, int], list[Row]] = defaultdict(list)
    with connect() as connection:
        is_limited = runs.get(connection, run_id).max_targets is not None
        only_of = run_id if is_limited else None
        found = generations.askable_again(connection, backfill, ASKED_AGAIN, only_of)
        rows = _worth_asking(found, left_alone)
        for row in rows:
            limit = row["max_output_tokens"] or output_limit(backfill, model)
            raised = limit_again(model, limit, row["reason"])
            wave = row["wave"] if backfill.waves else 0
            alike[row["question"], wave, raised, row["attempts"]].append(row)
        for (_, _, limit, _), group in alike.items():
            for start in range(0, len(group), ROWS_PER_RETRY):
                _move(connection, run_id, group[start : start + ROWS_PER_RETRY], limit)
    if rows:
        get_run_logger().info("%d bad answers are asked again.", len(rows))
    unpaid = [row for row in rows if BadReason(row["reason"]).is_unpaid]
    return Again(len(rows), [Unanswered(row["reason"], row["detail"] or "") for row in unpaid])


def _worth_asking(rows: list[Row], left_alone: int) -> list[Row]:
    failed_at = [row for row in rows if row["reason"] == BadReason.SERVICE_ERROR]
    if len(failed_at) >= left_alone:
        return rows
    return [row for row in rows if row["reason"] != BadReason.SERVICE_ERROR]


def take_back(slice_id: str, cause: str) -> None:
    """Plan a slice's targets again, as if no job had carried them; its job was cancelled."""
    with connect() as connection:
        the_slice = slices.lock(connection, slice_id)
        if the_slice.state in FINISHED:
            return
        _move_parts(connection, the_slice, the_slice.attempt, parts=1)
        slices.fail(connection, slice_id, cause)


def _move_parts(connection: Connection, the_slice: Slice, attempt: int, parts: int = 2) -> None:
    members = [member.doc_id for member in generations.members(connection, the_slice.slice_id)]
    size = -(-len(members) // parts)
    for start in range(0, len(members), size or 1):
        generations.move_on(connection, the_slice, members[start : start + size], attempt)


def _keys_at_fault(connection: Connection, the_slice: Slice, lines: Sequence[int]) -> list[str]:
    """Return the keys of the named request lines; none, when the fault is not theirs alone."""
    open_now = len(generations.members(connection, the_slice.slice_id))
    if not is_particular(lines, open_now):
        return []
    return workspace.keys_on_lines(the_slice.slice_id, lines)


def _end_as_rejected(connection: Connection, keys: Sequence[str], cause: str) -> None:
    """End the rows of refused lines as bad; of a line of several rows each is asked alone first."""
    for key in keys:
        rows = keys_in(key)
        reason = BadReason.REJECTED_LINE if rows == [key] else BadReason.LEFT_OUT
        generations.set_aside(connection, rows, reason, cause)


def _move(connection: Connection, run_id: UUID, rows: list[Row], limit: int) -> None:
    generations.move(
        connection,
        slices.get(connection, max(rows, key=lambda row: int(row["wave"]))["slice_id"]),
        [row["doc_id"] for row in rows],
        run_id=run_id,
        attempt=rows[0]["attempts"] + 1,
        max_output_tokens=limit,
    )
