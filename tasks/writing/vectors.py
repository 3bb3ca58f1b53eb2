"""The transaction in which vectors of one slice are kept, until the answers join them."""

from collections.abc import Sequence

from tasks.adapters.ledger import answers, generations
from tasks.adapters.postgres import Connection
from tasks.core.backfill import Target
from tasks.core.models import Member, Question, Slice
from tasks.writing.reading import Reading
from tasks.writing.transaction import Ingestion


class VectorIngestion(Ingestion):
    """Keeps the vectors of a slice, and moves its targets on to the slice that asks for answers."""

    def _take(self, members: Sequence[Member], present: Sequence[Target], reading: Reading) -> None:
        del members
        for each in reading.of(present):
            if each.vector is None and each.outcome is not None:
                self._end(each.outcome)
            self._totals.measures.update(each.counts)
        # Also of rows that are away: they are not asked for it again when they are back.
        vectors = {each.member: each.vector for each in reading.answers if each.vector is not None}
        by_content = {member.content_hash: vector for member, vector in vectors.items()}
        answers.keep_vectors(self._connection, self._backfill, by_content)
        here = {target.doc_id for target in present}
        onwards = [member.doc_id for member in vectors if member.doc_id in here]
        self._moved = len(onwards)
        if onwards:
            ask: tuple[Question, str] = ("answer", self._backfill.model)
            generations.move_on(self._connection, self._slice, onwards, self._slice.attempt, ask)


def ingestion(connection: Connection, the_slice: Slice) -> Ingestion:
    """Return the transaction that fits what the slice asks."""
    kind = VectorIngestion if the_slice.question == "embedding" else Ingestion
    return kind(connection, the_slice)
