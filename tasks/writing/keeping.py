"""Whose rows stand for the targets of a slice: before its transaction writes, and after."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tasks.adapters import standing
from tasks.adapters.ledger import answers
from tasks.adapters.postgres import Connection
from tasks.adapters.standing import Stands
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill, Target
from tasks.core.ends import SkipReason
from tasks.core.models import Member, Written


class Keeping:
    """Collects projections, and writes them down.

    Attributes:
        also_edited: rows that a person corrected go as well.
        also_own: rows go also where the same answer was written before.
        left: targets whose rows are left, and why: a person corrected them, or others wrote them.
        standing: how many rows a doc_id became for its target.
    """

    def __init__(self, connection: Connection, backfill: Backfill) -> None:
        self._connection = connection
        self._backfill = backfill
        self.also_edited = self.also_own = False
        self.left: dict[str, SkipReason] = {}
        self.standing: dict[tuple[UUID, str], int] = {}

    def begin_anew(self) -> None:
        """Forget what was collected, because it is collected once more."""
        self.standing = {}

    def make_way(self, here: Tables, members: Sequence[Member]) -> list[str]:
        """Return the targets whose rows are of older texts, and go whatever the new answers are.

        What a person corrected since is left, and what others wrote, and the new answer is kept
        for whoever wants it.
        """
        older = self._older(here, members)
        self.left = {} if self.also_edited else self._left(here, members, older)
        if here.is_in_place:
            return []  # what stands there stands until it is overwritten
        ours = [target_id for target_id in older if target_id not in self.left]
        answers.unproject(self._connection, self._backfill, ours)
        return ours

    def _left(
        self, here: Tables, members: Sequence[Member], older: Mapping[str, Written]
    ) -> dict[str, SkipReason]:
        theirs = standing.of_others(self._connection, here, [each.target_id for each in members])
        edited = standing.edited(self._connection, here, older)
        return dict.fromkeys(theirs, SkipReason.OTHERS) | dict.fromkeys(edited, SkipReason.EDITED)

    def _older(self, here: Tables, members: Sequence[Member]) -> dict[str, Written]:
        if here.is_in_place:
            ids = [member.target_id for member in members]
            return answers.standing_in_place(self._connection, self._backfill, ids)
        asked = {member.target_id: None if self.also_own else member.doc_id for member in members}
        return answers.standing(self._connection, self._backfill, asked)

    def stands(self, target: Target, records: int) -> None:
        """Take in that so many rows stand for a target."""
        self.standing[target.doc_id, target.target_id] = records

    def project(self, here: Tables, found: Stands) -> None:
        """Note whose rows stand now, how many they are and what they are."""
        if here.is_in_place:
            answers.unproject(self._connection, self._backfill, list(found))
        counts = {
            key: found[key[1]][1] if key[1] in found else count
            for key, count in self.standing.items()
        }
        numbers = {target_id: number for target_id, (number, _) in found.items()}
        answers.project(self._connection, self._backfill, counts, numbers)
