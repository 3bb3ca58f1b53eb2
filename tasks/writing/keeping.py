"""Whose rows stand for the targets of a slice: before its transaction writes, and after."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tasks.adapters import rows
from tasks.adapters.ledger import answers
from tasks.adapters.postgres import Connection
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill, Target
from tasks.core.models import Member


class Keeping:
    """Collects projections, and writes them down.

    Attributes:
        edited: targets whose rows, of an older text, a person corrected: they are left.
        standing: how many rows a doc_id became for its target.
    """

    def __init__(self, connection: Connection, backfill: Backfill) -> None:
        self._connection = connection
        self._backfill = backfill
        self.edited: set[str] = set()
        self.standing: dict[tuple[UUID, str], int] = {}

    def begin_anew(self) -> None:
        """Forget what was collected, because it is collected once more."""
        self.standing = {}

    def make_way(self, here: Tables, members: Sequence[Member]) -> list[str]:
        """Return the targets whose rows are of older texts, and go whatever the new answers are.

        What a person corrected since is left, and the new answer is kept for whoever wants it.
        """
        older = answers.standing(self._connection, self._backfill, members)
        self.edited = rows.edited(self._connection, here, older)
        if here.is_in_place:
            return []  # what stands there stands until it is overwritten
        ours = [target_id for target_id in older if target_id not in self.edited]
        answers.unproject(self._connection, self._backfill, ours)
        return ours

    def stands(self, target: Target, records: int) -> None:
        """Take in that so many rows stand for a target."""
        self.standing[target.doc_id, target.target_id] = records

    def project(self, here: Tables, standing: Mapping[str, tuple[int | None, int]]) -> None:
        """Note whose rows stand now, how many they are and what they are."""
        if here.is_in_place:
            answers.unproject(self._connection, self._backfill, list(standing))
        counts = {
            key: standing[key[1]][1] if key[1] in standing else count
            for key, count in self.standing.items()
        }
        found = {target_id: number for target_id, (number, _) in standing.items()}
        answers.project(self._connection, self._backfill, counts, found)
