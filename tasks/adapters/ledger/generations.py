"""Generations in the ledger: one row per answered target, whatever the answer held."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import args_row

from tasks.adapters.ledger import slices
from tasks.adapters.postgres import Connection, Row, statements, storable
from tasks.core.backfill import Backfill
from tasks.core.ends import Outcome
from tasks.core.identity import digest
from tasks.core.models import Member, Question, Slice

_SQL = statements("queries/generations.sql")

_MOST_TOKENS = 2**31 - 1  # what the ledger's integer holds
RAW_LIMIT = 20_000  # characters of a bad answer that are kept for a person to read


def members(connection: Connection, slice_id: str) -> list[Member]:
    """Return the slice's targets that have no end yet, by target_id."""
    with connection.cursor(row_factory=args_row(Member)) as cursor:
        return cursor.execute(_SQL["members"], {"slice_id": slice_id}).fetchall()


def content_hashes(connection: Connection, keys: Sequence[str]) -> dict[str, UUID]:
    """Return the content hashes of some doc_ids, which are the keys of requests."""
    rows = connection.execute(_SQL["content_hashes"], {"keys": list(keys)})
    return {row["key"]: row["content_hash"] for row in rows}


def end(connection: Connection, outcomes: Iterable[Outcome]) -> int:
    """Give each doc_id its end; return how many were still open."""
    connection.execute(_SQL["stage_outcomes"])
    with connection.cursor().copy(_SQL["copy_outcomes"]) as copy:
        for outcome in outcomes:
            copy.write_row(_row(connection, outcome))
    return connection.execute(_SQL["apply_outcomes"]).rowcount


def skip(connection: Connection, skips: Sequence[tuple[UUID, str]]) -> None:
    """End targets that will not be asked, each with its reason."""
    values = {"doc_ids": [doc_id for doc_id, _ in skips], "reasons": [why for _, why in skips]}
    connection.execute(_SQL["skip"], values)


def askable_again(
    connection: Connection,
    backfill: Backfill,
    reasons: Sequence[str],
    only_of_run: UUID | None = None,
) -> list[Row]:
    """Return the bad generations of this version, or of one run, that another try can help."""
    values = {
        "only_of_run": only_of_run,
        **backfill.in_ledger,
        "reasons": list(reasons),
        "max_attempts": backfill.max_attempts,
    }
    return connection.execute(_SQL["askable_again"], values).fetchall()


def move(  # noqa: PLR0913 - whence, whither, what and how
    connection: Connection,
    source: Slice,
    doc_ids: Sequence[UUID],
    *,
    run_id: UUID,
    attempt: int,
    max_output_tokens: int | None,
    ask: tuple[Question, str] | None = None,
) -> str:
    """Give targets of one slice to a new one; return its slice_id.

    `ask` is the new slice's question and model, where they are not the old one's.
    """
    question, model = ask or (source.question, source.model)
    # Named after the old one too: the same targets may be moved again without a try between.
    identity = (source.slice_id, str(run_id), str(attempt), question, *map(str, doc_ids))
    slice_id = digest(identity)[:16]
    values: dict[str, Any] = {
        "slice_id": slice_id,
        "run_id": run_id,
        "from_slice_id": source.slice_id,
        "attempt": attempt,
        "request_count": len(doc_ids),
        "max_output_tokens": max_output_tokens,
        "question": question,
        "model": model,
        "doc_ids": list(doc_ids),
    }
    connection.execute(_SQL["insert_next_slice"], values)
    connection.execute(_SQL["move_generations"], values)
    return slice_id


def move_on(
    connection: Connection,
    source: Slice,
    doc_ids: Sequence[UUID],
    attempt: int,
    ask: tuple[Question, str] | None = None,
) -> str:
    """Give targets of one slice to a new one of the same run and limit, as `move` does."""
    return move(
        connection,
        source,
        doc_ids,
        run_id=source.run_id,
        attempt=attempt,
        max_output_tokens=source.max_output_tokens,
        ask=ask,
    )


def take_out(
    connection: Connection,
    source: Slice,
    doc_ids: Sequence[UUID],
    ask: tuple[Question, str] | None = None,
) -> str:
    """Give some targets of a planned slice a slice of their own; return its slice_id."""
    slice_id = move_on(connection, source, doc_ids, source.attempt, ask)
    slices.shrink(connection, source.slice_id, len(doc_ids))
    return slice_id


def unite(connection: Connection, slice_id: str, with_id: str) -> None:
    """Give the targets of a planned slice back to the one that they were taken out of."""
    values = {"slice_id": slice_id, "with_id": with_id}
    for name in ("give_targets_back", "grow_again", "drop_slice"):
        connection.execute(_SQL[name], values)


def give_up(connection: Connection, slice_id: str, reason: str, detail: str) -> int:
    """End a slice's open targets as bad; return how many."""
    values = {
        "slice_id": slice_id,
        "reason": str(reason),
        "detail": _storable(connection, detail),
    }
    return connection.execute(_SQL["give_up"], values).rowcount


def set_aside(connection: Connection, doc_ids: Sequence[str], reason: str, detail: str) -> None:
    """End some open targets as bad before they were asked."""
    values = {
        "doc_ids": list(doc_ids),
        "reason": str(reason),
        "detail": _storable(connection, detail),
    }
    connection.execute(_SQL["set_aside"], values)


def ended_before(connection: Connection, slice_id: str) -> dict[str, int]:
    """Return how many of a slice's targets had an end before its answers came, by state."""
    rows = connection.execute(_SQL["ended_before"], {"slice_id": slice_id})
    return {row["state"]: row["targets"] for row in rows}


def drop(connection: Connection, doc_ids: Sequence[UUID]) -> int:
    """Delete generations, and lower their slices' sums by them; return how many there were."""
    row = connection.execute(_SQL["drop_generations"], {"doc_ids": list(doc_ids)}).fetchone()
    return int(row["targets"]) if row else 0


def list_bad(connection: Connection, run_id: UUID) -> Iterator[Row]:
    """Yield the run's bad generations with reason, attempts and the raw answer, a few at a time."""
    with connection.cursor("bad_generations") as cursor:
        yield from cursor.execute(_SQL["bad_generations"], {"run_id": run_id})


def _row(connection: Connection, outcome: Outcome) -> tuple[object, ...]:
    return (
        outcome.doc_id,
        outcome.end.value,
        outcome.reason,
        _storable(connection, outcome.detail),
        min(outcome.input_tokens, _MOST_TOKENS),
        min(outcome.output_tokens, _MOST_TOKENS),
        _storable(connection, outcome.model_version),
        _storable(connection, outcome.raw),
        outcome.tries,
    )


def _storable(connection: Connection, text: str | None) -> str | None:
    """Return what this database can hold of a text, and not without end."""
    return None if text is None else storable(connection, text[:RAW_LIMIT])
