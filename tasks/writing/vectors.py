"""The transaction in which vectors of one slice are kept, until the answers join them."""

from collections.abc import Sequence

from tasks.adapters.ledger import generations
from tasks.adapters.postgres import Connection
from tasks.core.backfill import Target
from tasks.core.models import Member, Question, Slice
from tasks.writing.reading import Reading
from tasks.writing.transaction import Ingestion


class VectorIngestion(Ingestion):
    """Keeps the vectors of a slice, and moves its targets on to the slice that asks for answers."""

    def _take(self, members: Sequence[Member], present: Sequence[Target], reading: Reading) -> None:
        del members
        found = reading.of(present)
        vectors = {each.member.doc_id: each.vector for each in found if each.vector is not None}
        for each in found:
            if each.vector is None and each.outcome is not None:
                self._end(each.outcome)
            self._totals.measures.update(each.counts)
        generations.keep_vectors(self._connection, vectors)
        self._moved = len(vectors)
        if vectors:
            ask: tuple[Question, str] = ("answer", self._backfill.model)
            generations.move_on(
                self._connection, self._slice, list(vectors), self._slice.attempt, ask
            )


def ingestion(connection: Connection, the_slice: Slice) -> Ingestion:
    """Return the transaction that fits what the slice asks."""
    kind = VectorIngestion if the_slice.question == "embedding" else Ingestion
    return kind(connection, the_slice)
