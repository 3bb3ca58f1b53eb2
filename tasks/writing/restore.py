"""Rows written again from kept answers: for nothing, a bounded number in a transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import rows
from tasks.adapters.ledger import answers, runs
from tasks.adapters.ledger.answers import Kept, Restorable
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import stage
from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill
from tasks.core.ends import End
from tasks.core.models import Slice, SliceState
from tasks.writing.reading import Reader, Reading
from tasks.writing.transaction import Ingestion

TARGETS_AT_ONCE = 1000


@stage("restore {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def restore(name: str, run_id: UUID) -> int:
    """Write the rows of targets whose answer is kept; return how many targets."""
    restored = restore_kept(backfills.get(name), run_id)
    if restored:
        get_run_logger().info("%d targets restored from kept answers, 0 USD.", restored)
    return restored


def restore_kept(backfill: Backfill, run_id: UUID | None = None) -> int:
    """Write what is planned to be restored, a bounded number at once; return how many targets."""
    restored = 0
    while (done := _step(backfill, run_id)) is not None:
        restored += done
    return restored


def _step(backfill: Backfill, run_id: UUID | None) -> int | None:
    with connect() as connection:
        wanted = answers.next_restores(connection, backfill, TARGETS_AT_ONCE)
        kept = answers.find(connection, [each.question_id for each in wanted])
    if not wanted:
        return None
    reading = _read(backfill, wanted, kept)
    with connect() as connection:
        restored = Restoring(connection, backfill).restore(reading)
        if run_id:
            answers.note_restored(connection, run_id, restored)
        runs.say(connection, backfill, None)
    return restored


def _read(backfill: Backfill, wanted: Sequence[Restorable], kept: Mapping[UUID, Kept]) -> Reading:
    """Return what kept answers say to the targets that want them."""
    last = backfill.max_attempts
    wanted = [each for each in wanted if each.question_id in kept]
    found = {each.member.doc_id: kept[each.question_id] for each in wanted}
    members = [each.member._replace(attempts=last) for each in wanted]
    lines = [one.response._replace(key=str(doc_id)) for doc_id, one in found.items()]
    return Reader(backfill, _no_slice(backfill)).read_kept(members, lines)


class Restoring(Ingestion):
    """Writes kept answers as if they came again; nothing is kept twice, or counted as asked."""

    def __init__(self, connection: Connection, backfill: Backfill) -> None:
        super().__init__(connection, _no_slice(backfill))
        self._backfill = backfill

    def restore(self, reading: Reading) -> int:
        """Write targets that still wait, by a text that was asked; return how many have rows."""
        asked = {each.member.doc_id: each.member for each in reading.answers}
        wait = set(answers.take_restores(self._connection, list(asked)))
        members = [member for doc_id, member in asked.items() if doc_id in wait]
        present, _ = rows.current(self._connection, self._backfill, members)
        self._take(members, present, reading)
        ends = {
            asked[outcome.doc_id]: _end(outcome.end, outcome.reason) for outcome in self._outcomes
        }
        answers.end_restored(self._connection, self._backfill, ends)
        return len(self._keeping.standing)


def _end(end: End, reason: str | None) -> tuple[str, str | None]:
    """Return state and reason; what could once be read and cannot be read today is not lost."""
    if end is End.BAD and reason not in (BadReason.REFUSED_BY_DATABASE, BadReason.RECORDS_FAILED):
        reason = str(BadReason.UNREAD)
    return end.value, reason


def _no_slice(backfill: Backfill) -> Slice:
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
