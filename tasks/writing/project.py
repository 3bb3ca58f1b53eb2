"""Answers' rows into the user's table: all of a slice at once, or all but what it refuses.

One COPY is tried. Where the database refuses it for a fault that is a row's own, halves and halves
of halves are tried until the targets at fault are known; then all the others are written at once.
All of it happens in the slice's one transaction, and a target's rows go together.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg

from tasks.adapters import refusals, rows, standing, tables
from tasks.adapters.ledger import answers
from tasks.adapters.postgres import Connection
from tasks.adapters.refusals import Refusal
from tasks.adapters.standing import Stands
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill, Record, Target
from tasks.core.errors import TableRefusesError

MANY = 50
"""More refusals that are alike are no single row's fault, where nothing else is written."""

PART = 250
"""Targets whose rows are in memory while those at fault are looked for."""

T = TypeVar("T")


class Projected(NamedTuple):
    """What one target's answer becomes."""

    target: Target
    records: Sequence[Record]


Again = Callable[[], Iterator[Projected]]
"""Yields the same from the beginning, as often as it is asked."""


class Projection:
    """Writes what answers become, in place of the older rows of the targets in `replaced`.

    Attributes:
        refused: the targets whose rows the database does not take, with the reason.
        standing: what stands for targets that were written: fingerprint, and how many rows.
    """

    def __init__(
        self,
        connection: Connection,
        here: Tables,
        created_at: datetime,
        replaced: Sequence[str],
    ) -> None:
        self._connection = connection
        self._here = here
        self._stamp = tables.stamp(here.backfill, created_at)
        # Of a CSV, another file's row may still ask the older question.
        self._replaced = [] if here.is_csv else list(replaced)
        self._undeletable: dict[str, Refusal] = {}
        self._taken = 0
        self._put_for: dict[str, UUID] = {}
        self.standing: Stands = {}
        self.refused: dict[UUID, Refusal] = {}

    def write(self, everything: Again) -> None:
        """Write all that the database takes; `refused` holds the others before it is written.

        Raises TableRefusesError, with nothing written, where the table takes no answer's rows for
        one and the same reason.
        """
        rows.speak_at_once(self._connection)
        while not self._is_written(everything):
            pass  # it is known better now what is at fault

    def _is_written(self, everything: Again) -> bool:
        self._put_for = {}
        try:
            with self._connection.transaction():
                self._delete([each for each in self._replaced if each not in self._undeletable])
                self._put(everything())
                if not self._stand():
                    raise psycopg.Rollback
                return True
        except psycopg.Error as error:
            if not refusals.is_of_a_row(error) or not self._find(everything()):
                raise
        return False

    def _stand(self) -> bool:
        """Read back what stands; note targets of which nothing does, because a trigger drops it."""
        if self._here.is_csv:
            return True  # the ledger's own
        here, backfill = self._here, self._here.backfill
        filled = answers.columns(self._connection, backfill, here.owned)
        ids = list(self._put_for)
        self.standing = standing.read_back(self._connection, here, ids, filled)
        if here.target.hides_rows:
            return True  # not all that stands is shown
        gone = self._put_for.keys() - self.standing.keys()
        self.refused |= {self._put_for[each]: refusals.vanished(self._here) for each in gone}
        self._taken += len(self.standing)
        self._raise_if_alike()
        return not gone

    def _find(self, everything: Iterator[Projected]) -> bool:
        """Learn which targets are at fault, and leave no trace; return whether any were new."""
        known = len(self.refused) + len(self._undeletable)
        with self._connection.transaction(force_rollback=True):
            self._halve(self._replaced, self._delete, self._note_undeletable)
            while part := list(islice(everything, PART)):
                self._halve(part, self._put, self._note_refused, self._count)
        self._raise_if_alike()
        return len(self.refused) + len(self._undeletable) > known

    def _halve(
        self,
        part: Sequence[T],
        try_it: Callable[[Sequence[T]], None],
        at_fault: Callable[[T, psycopg.Error], None],
        done: Callable[[Sequence[T]], None] = lambda _: None,
    ) -> None:
        """Do a part as a whole if that is possible, else by halves, down to those at fault."""
        try:
            with self._connection.transaction():
                try_it(part)
        except psycopg.Error as error:
            if not refusals.is_of_a_row(error):
                raise
            if len(part) == 1:
                at_fault(part[0], error)
                return
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                self._halve(half, try_it, at_fault, done)
        else:
            done(part)

    def _delete(self, target_ids: Sequence[str]) -> None:
        rows.delete(self._connection, self._here, target_ids)

    def _put(self, part: Iterable[Projected]) -> None:
        rows.write(self._connection, self._here, self._of(part), self._stamp)

    def _of(self, part: Iterable[Projected]) -> Iterator[rows.Of]:
        for each in part:
            if each.records:
                self._put_for[each.target.target_id] = each.target.doc_id
            for record in each.records:
                yield each.target, record

    def _note_undeletable(self, target_id: str, error: psycopg.Error) -> None:
        self._undeletable[target_id] = refusals.refusal(error, self._here, ())

    def _note_refused(self, at_fault: Projected, error: psycopg.Error) -> None:
        why = refusals.refusal(error, self._here, at_fault.records)
        self.refused[at_fault.target.doc_id] = why

    def _count(self, part: Sequence[Projected]) -> None:
        """Count what is taken; what stands beside older rows that must stay is not."""
        for each in part:
            if why := self._undeletable.get(each.target.target_id):
                self.refused[each.target.doc_id] = why
            else:
                self._taken += bool(each.records)

    def _raise_if_alike(self) -> None:
        if not self._taken and (said := refused_alike(self._here.backfill, self.refused.values())):
            raise TableRefusesError(said)


def refused_alike(backfill: Backfill, refused: Iterable[Refusal]) -> str | None:
    """Return what to do where more than MANY are refused for one reason, if they are."""
    refused = list(refused)
    by_key = {why.key: why for why in refused}
    alike = Counter(why.key for why in refused).most_common(1)
    if not alike or alike[0][1] <= MANY:
        return None
    [(key, count)] = alike
    why, name = by_key[key], backfill.name
    if not why.table:
        return (
            f"`records` of {name} fails at {count:,} answers alike and has made rows of none"
            f" ({why.sentence}): mend it, and run again."
        )
    return (
        f"{why.table} refuses the rows of {count:,} answers of {name} alike and has taken none"
        f" ({why.sentence}): mend the table, or what [{name}] of backfills.toml writes into it,"
        " and run again."
    )
