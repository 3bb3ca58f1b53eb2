"""The transaction in which vectors of one slice are kept, until the answers join them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from tasks.adapters.ledger import generations
from tasks.adapters.postgres import Connection
from tasks.core.answers import Answered, Refused
from tasks.core.backfill import Embedding, Target
from tasks.core.embeddings import judge_unit
from tasks.core.ends import Join
from tasks.core.models import Member, Question, Slice
from tasks.core.responses import Response
from tasks.writing.transaction import Ingestion


class VectorIngestion(Ingestion):
    """Keeps the vectors of a slice, and moves its targets on to the slice that asks for answers."""

    @property
    def _spec(self) -> Embedding:
        if self._backfill.embedding is None:
            raise LookupError(f"{self._backfill.name} asks for no vectors any more.")
        return self._backfill.embedding

    @property
    def _judge(self) -> Callable[[Response], Answered[Any] | Refused[Any]]:
        return partial(judge_unit, dimensions=self._spec.dimensions)

    def _take(self, members: Sequence[Member], present: Sequence[Target], join: Join[Any]) -> None:
        del members
        vectors: dict[UUID, Sequence[float]] = {}
        replies = join.replies(self._judge)
        here = {str(target.doc_id): target for target in present}
        for reply in replies:
            if (target := here.get(reply.key)) is None:
                continue
            if isinstance(reply.verdict, Refused):
                self._end_bad(target, reply, reply.verdict)
            else:
                vectors[target.doc_id] = reply.verdict.answer
                self._note_cut(target)
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
