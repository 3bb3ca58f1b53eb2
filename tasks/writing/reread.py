"""Kept answers read again with today's code: rows replaced where they differ, for nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import psycopg

from tasks.adapters import refusals, rows, standing, tables
from tasks.adapters.ledger import answers, checkpoint, rereads, rollbacks, versions
from tasks.adapters.ledger.rereads import Reread
from tasks.adapters.postgres import Connection, connect
from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill, Record, Target
from tasks.core.differences import WRITTEN, Findings, Kind, example, kind_of
from tasks.core.ends import End, Outcome
from tasks.core.models import Filled, Member, Written
from tasks.writing.project import Projected
from tasks.writing.reading import Read, Reading
from tasks.writing.restore import TARGETS_AT_ONCE, Restoring, read_kept


class Scope(StrEnum):
    """Which kept answers are read again."""

    ALL = "all"
    EDITED = "edited"  # of targets whose rows a person corrected
    SKIPPED = "skipped"  # that were left when they came, because a person had corrected the rows


def look_again(backfill: Backfill, scope: Scope) -> Findings:
    """Return what differs; no row is written."""
    return _in_steps(backfill, scope, writes=False)


def read_again(backfill: Backfill, scope: Scope, *, also_edited: bool) -> Findings:
    """Return what differed, after writing it in transactions of a bounded number of targets."""
    return _in_steps(backfill, scope, writes=True, also_edited=also_edited)


def _in_steps(
    backfill: Backfill, scope: Scope, *, writes: bool, also_edited: bool = False
) -> Findings:
    found = Findings()
    with connect() as connection:
        backfill = versions.as_asked(connection, backfill)
        rereads.plan(connection, backfill, only_skipped=scope is Scope.SKIPPED)
    place = 0
    while step := _next(backfill, place):
        asked = _in_scope(backfill, step, scope)
        reading = read_kept(backfill, {each.member: each.question_id for each in asked})
        with connect() as connection:
            rereading = Rereading(connection, backfill, found)
            looked = rereading.look(asked, reading)
            if writes:
                rereading.write(looked, reading, also_edited=also_edited)
                checkpoint.say(connection, backfill, None)
        place = step[-1].place
    return found


def _next(backfill: Backfill, after: int) -> list[Reread]:
    """Return the next targets; after the last, forget them all."""
    with connect() as connection:
        step = rereads.following(connection, backfill, after, TARGETS_AT_ONCE)
        if not step:
            rereads.forget(connection, backfill)
    return step


def _in_scope(backfill: Backfill, step: Sequence[Reread], scope: Scope) -> Sequence[Reread]:
    if scope is not Scope.EDITED:
        return step
    with connect() as connection:
        edited = rollbacks.edited(connection, backfill, [each.member.target_id for each in step])
    return [each for each in step if each.member.target_id in edited]


class Looked(NamedTuple):
    """A target whose answer was read again: its rows as numbers, before and after, or none."""

    target: Target
    asked: Reread
    outcome: Outcome
    kind: Kind
    before: int | None
    after: int | None

    @property
    def member(self) -> Member:
        """Return the target as it was asked."""
        return self.asked.member

    @property
    def differs(self) -> bool:
        """Return whether other rows stand than today's reading makes."""
        return self.before != self.after


class Became(NamedTuple):
    """What an answer becomes today for a target whose text is still what was asked."""

    target: Target
    outcome: Outcome
    records: Sequence[Record] | None


def _became(found: Iterable[Read]) -> Iterator[Became]:
    for each in found:
        if each.target is not None and each.outcome is not None:
            yield Became(each.target, each.outcome, each.records)


class Rereading(Restoring):
    """Reads some kept answers again, holds them against the rows, and writes what differs."""

    def __init__(self, connection: Connection, backfill: Backfill, found: Findings) -> None:
        super().__init__(connection, backfill)
        self._here = tables.of(connection, backfill)
        self._found = found
        self._keeping.also_own = True
        self._standing: Mapping[str, Written] = {}
        self._edited: set[str] = set()

    def look(self, step: Sequence[Reread], reading: Reading) -> list[Looked]:
        """Return what reading some answers again comes to: counted and shown, but not written."""
        asked = {each.member.doc_id: each for each in step}
        self._compare(step)
        present, _ = rows.current(self._connection, self._backfill, [each.member for each in step])
        became = {each.target.doc_id: each for each in _became(reading.of(present))}
        projected = {
            doc_id: Projected(each.target, each.records)
            for doc_id, each in became.items()
            if each.records is not None
        }
        columns, after, untaken = self._as_rows(list(projected.values()))
        columns = columns or self._here.owned
        keys = {doc_id: standing.key(self._here, each.target) for doc_id, each in became.items()}
        before = self._numbers(list(keys.values()), Filled(columns))
        looked = []
        for doc_id, (target, outcome, _) in became.items():
            numbers = before.get(keys[doc_id]), after.get(keys[doc_id])
            kind = self._kind(asked[doc_id], outcome, *numbers, is_taken=doc_id not in untaken)
            looked.append(Looked(target, asked[doc_id], outcome, kind, *numbers))
        self._found.kinds.update(each.kind for each in looked)
        self._show(looked, projected, columns)
        return looked

    def _compare(self, step: Sequence[Reread]) -> None:
        """Learn whose rows stand, and which of them a person corrected."""
        ids = dict.fromkeys(each.member.target_id for each in step)
        self._standing = answers.standing(self._connection, self._backfill, ids)
        self._edited = standing.edited(self._connection, self._here, self._standing)

    def _kind(
        self,
        each: Reread,
        outcome: Outcome,
        before: int | None,
        after: int | None,
        *,
        is_taken: bool,
    ) -> Kind:
        is_usable = outcome.end is not End.BAD
        kind = kind_of(each.state, is_usable=is_usable, before=before, after=after)
        if kind not in WRITTEN:
            return kind
        if not is_taken:
            return Kind.REFUSED
        target_id = each.member.target_id
        if target_id in self._edited and before != after:
            return Kind.EDITED
        is_ours = target_id in self._standing or self._here.is_csv
        return kind if is_ours or before is None else Kind.FOREIGN

    def _as_rows(
        self, part: Sequence[Projected]
    ) -> tuple[tuple[str, ...], dict[str, int], set[UUID]]:
        """Return the columns that are filled, a number for each target's rows, and who is refused.

        Values that a column's type does not take refuse the whole COPY: then halves are tried.
        """
        try:
            with self._connection.transaction():
                columns = self._put_aside(part)
                keys = [standing.key(self._here, each.target) for each in part if each.records]
                return columns, self._numbers(keys, Filled(columns), staged=True), set()
        except psycopg.Error as error:
            if not refusals.is_of_a_row(error):
                raise
        if len(part) == 1:
            return (), {}, {part[0].target.doc_id}
        columns, found, untaken = self._as_rows(part[: len(part) // 2])
        others, more, more_untaken = self._as_rows(part[len(part) // 2 :])
        return columns or others, found | more, untaken | more_untaken

    def _numbers(
        self, keys: Sequence[str], filled: Filled, *, staged: bool = False
    ) -> dict[str, int]:
        return standing.numbers(self._connection, self._here, keys, filled, staged=staged)

    def _put_aside(self, part: Iterable[Projected]) -> tuple[str, ...]:
        stamp = tables.stamp(self._backfill, self._created_at)
        records = ((each.target, record) for each in part for record in each.records)
        return rows.put_aside(self._connection, self._here, records, stamp)

    def _show(
        self,
        looked: Sequence[Looked],
        projected: Mapping[UUID, Projected],
        columns: Sequence[str],
    ) -> None:
        """Show some of the differences side by side."""
        chosen: list[Looked] = []
        for kinds in ((*WRITTEN, Kind.UNREAD), (Kind.EDITED,)):
            differing = [each for each in looked if each.kind in kinds and each.differs]
            chosen += differing[: self._found.room(kinds[0])]
        if not chosen:
            return
        keys = [standing.key(self._here, each.target) for each in chosen]
        became = [projected.get(each.target.doc_id) for each in chosen]
        filled = self._put_aside(each for each in became if each)
        now = standing.shown(self._connection, self._here, keys, columns)
        then = (
            standing.shown(self._connection, self._here, keys, columns, staged=True)
            if filled
            else {}
        )
        for key, each in zip(keys, chosen, strict=True):
            said = f"cannot be read: {each.outcome.detail}"
            after = said if each.kind is Kind.UNREAD else then.get(key, [])
            target_id = each.target.target_id
            self._found.show(example(target_id, each.kind, now.get(key, []), after))

    def write(self, looked: Sequence[Looked], reading: Reading, *, also_edited: bool) -> None:
        """Replace the rows that differ, and note ends and reading of the others."""
        self._keeping.also_edited = also_edited
        taken = (*WRITTEN, Kind.EDITED) if also_edited else WRITTEN
        differing = [each for each in looked if each.kind in taken and each.differs]
        self._replace(differing, reading)
        stand = [each for each in looked if each.kind in (Kind.SAME, *WRITTEN) and not each.differs]
        self._note_reading(stand)
        unread = [each for each in looked if each.kind is Kind.UNREAD]
        ended = [each for each in stand if each.asked.state != each.outcome.end.value]
        self._end_kept(
            [each.member for each in (*unread, *ended)],
            [each.outcome for each in (*unread, *ended)],
        )
        readable = [each.asked.question_id for each in looked if each.kind is Kind.READABLE]
        rereads.note_usable(self._connection, readable)

    def _replace(self, differing: Sequence[Looked], reading: Reading) -> None:
        """Write what differs; of what the table refuses the rows stay that stand."""
        while differing:
            with self._connection.transaction() as attempt:
                refused = self._try(differing, reading)
                keep = {each.member.doc_id for each in differing if each.before is not None}
                if refused & keep:
                    raise psycopg.Rollback(attempt)
            if not refused & keep:
                break
            staying = [each for each in differing if each.member.doc_id in refused & keep]
            self._found.kinds.subtract(each.kind for each in staying)
            self._found.kinds[Kind.REFUSED] += len(staying)
            differing = [each for each in differing if each not in staying]

    def _try(self, differing: Sequence[Looked], reading: Reading) -> set[UUID]:
        """Write rows and ends; return whose rows the table refuses."""
        if self._here.is_csv:
            doc_ids = [each.member.doc_id for each in differing]
            rows.forget_csv_answers(self._connection, doc_ids)
        members = [each.member for each in differing]
        self._write(members, [each.target for each in differing], reading)
        refused = BadReason.REFUSED_BY_DATABASE
        return {outcome.doc_id for outcome in self._outcomes if outcome.reason == refused}

    def _note_reading(self, stand: Sequence[Looked]) -> None:
        """Note that rows are what today's reading makes, over the columns that it fills."""
        ids = [each.target.target_id for each in stand if each.after is not None]
        found: dict[str, int] = {}
        if not self._here.is_csv:
            filled = answers.columns(self._connection, self._backfill, self._here.owned)
            found = self._numbers(ids, filled)
        numbers = {each.member.doc_id: found.get(each.target.target_id) for each in stand}
        rereads.note_reading(self._connection, self._backfill, numbers)
