"""Rows written again from kept answers: for nothing, a bounded number in a transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import rows
from tasks.adapters.ledger import answers, checkpoint, runs, versions
from tasks.adapters.ledger.answers import Restorable
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import stage
from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill, Target
from tasks.core.ends import End, Outcome
from tasks.core.models import Member, Slice, SliceState
from tasks.writing.reading import Reader, Reading
from tasks.writing.stale import clear_stale
from tasks.writing.transaction import Ingestion

TARGETS_AT_ONCE = 1000


@stage("restore {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def restore(name: str, run_id: UUID) -> int:
    """Write the rows of targets whose answer is kept; return how many targets.

    Where so many are missing that a person is asked, none are written before the yes.
    """
    backfill = backfills.get(name)
    if cleared := clear_stale(backfill):
        get_run_logger().info("%d targets' rows went with the text that they were of.", cleared)
    with connect() as connection:
        is_many = answers.waiting(connection, backfill).is_many
        if is_many and not runs.get(connection, run_id).restores_approved:
            return 0
    restored = restore_kept(backfill, run_id)
    if restored:
        get_run_logger().info("%d targets restored from kept answers, 0 USD.", restored)
    return restored


def restore_kept(backfill: Backfill, run_id: UUID | None = None) -> int:
    """Write what is planned to be restored, a bounded number at once; return how many targets."""
    with connect() as connection:
        backfill = versions.as_asked(connection, backfill)
    restored, after = 0, 0
    while wanted := _following(backfill, after):
        restored += _write(backfill, run_id, wanted)
        after = wanted[-1].place
    return restored


def _following(backfill: Backfill, after: int) -> list[Restorable]:
    with connect() as connection:
        return answers.next_restores(connection, backfill, after, TARGETS_AT_ONCE)


def _write(backfill: Backfill, run_id: UUID | None, wanted: Sequence[Restorable]) -> int:
    last = backfill.max_attempts
    asked = {each.member._replace(attempts=last): each.question_id for each in wanted}
    reading = read_kept(backfill, asked)
    with connect() as connection:
        restored = Restoring(connection, backfill).restore(reading)
        if run_id:
            answers.note_restored(connection, run_id, restored)
        checkpoint.say(connection, backfill, None)
    return restored


def read_kept(backfill: Backfill, asked: Mapping[Member, UUID]) -> Reading:
    """Return what kept answers say to the members that asked these questions."""
    with connect() as connection:
        kept = answers.find(connection, list(asked.values()))
    members = [member for member, question_id in asked.items() if question_id in kept]
    lines = (kept[asked[member]]._replace(key=str(member.doc_id)) for member in members)
    return Reader(backfill, no_slice(backfill)).read_kept(members, lines)


class Restoring(Ingestion):
    """Writes kept answers as if they came again; nothing is kept twice, or counted as asked."""

    def __init__(self, connection: Connection, backfill: Backfill) -> None:
        super().__init__(connection, no_slice(backfill), backfill)

    def restore(self, reading: Reading) -> int:
        """Write targets that still wait, by a text that was asked; return how many have rows."""
        asked = {each.member.doc_id: each.member for each in reading.answers}
        wait = set(answers.take_restores(self._connection, list(asked)))
        members = [member for doc_id, member in asked.items() if doc_id in wait]
        present, _ = rows.current(self._connection, self._backfill, members)
        self._write(members, present, reading)
        return len(self._keeping.standing)

    def _write(
        self, members: Sequence[Member], present: Sequence[Target], reading: Reading
    ) -> None:
        """Write rows and ends of those members that are present."""
        self._take(members, present, reading)
        self._end_kept(members, self._outcomes)

    def _end_kept(self, members: Sequence[Member], outcomes: Sequence[Outcome]) -> None:
        asked = {member.doc_id: member for member in members}
        ends = {asked[each.doc_id]: _end(each.end, each.reason) for each in outcomes}
        answers.end_restored(self._connection, self._backfill, ends)


def _end(end: End, reason: str | None) -> tuple[str, str | None]:
    """Return state and reason; what could once be read and cannot be read today is not lost."""
    if end is End.BAD and reason not in (BadReason.REFUSED_BY_DATABASE, BadReason.RECORDS_FAILED):
        reason = str(BadReason.UNREAD)
    return end.value, reason


def no_slice(backfill: Backfill) -> Slice:
    """Return what stands for the slice of answers that are in no job."""
    return Slice(
        slice_id="restored",
        run_id=UUID(int=0),
        backfill=backfill.name,
        extractor_version=backfill.extractor_version,
        wave=0,
        attempt=0,
        state=SliceState.DONE,
        request_count=0,
        model=backfill.model,
    )
