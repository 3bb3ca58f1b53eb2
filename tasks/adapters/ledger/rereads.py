"""Targets whose kept answers are read again, and by which reading rows stand."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from tasks.adapters import tables
from tasks.adapters.ledger.answers import filled
from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.models import Filled, Member

_SQL = statements("queries/rereads.sql")


class Reread(NamedTuple):
    """A target whose text is what was asked, the question, and the target's end."""

    place: int
    member: Member
    question_id: UUID
    state: str | None


def plan(connection: Connection, backfill: Backfill, *, only_skipped: bool) -> None:
    """Note what there is to read again; or only the answers that were left for edited rows."""
    forget(connection, backfill)
    here = tables.of(connection, backfill)
    tables.fix_texts(connection)
    statement = here.over_source("plan_rereads", in_scope=False)
    connection.execute(statement, {**here.values(), "only_edited": only_skipped})


def following(connection: Connection, backfill: Backfill, after: int, size: int) -> list[Reread]:
    """Return the next targets; of one that is bad, the attempts before its answer."""
    values = {**backfill.in_ledger, "after": after, "size": size}
    found = []
    for row in connection.execute(_SQL["next_rereads"], values):
        is_bad = row["state"] == "bad"
        attempts = max(0, row["attempts"] - 1) if is_bad else backfill.max_attempts
        member = Member(row["doc_id"], row["target_id"], row["content_hash"], attempts)
        found.append(Reread(row["place"], member, row["question_id"], row["state"]))
    return found


def forget(connection: Connection, backfill: Backfill) -> None:
    """Forget what there was to read again."""
    connection.execute(_SQL["forget_rereads"], backfill.in_ledger)


def note_reading(
    connection: Connection, backfill: Backfill, fingerprints: Mapping[UUID, int | None]
) -> None:
    """Note that some answers' rows are what the present reading makes of them."""
    values = {
        "reading": backfill.reading,
        "doc_ids": list(fingerprints),
        "fingerprints": list(fingerprints.values()),
    }
    connection.execute(_SQL["note_reading"], values)


def note_usable(connection: Connection, question_ids: Sequence[UUID]) -> None:
    """Note that some kept answers can be used, whatever they were taken for when they came."""
    connection.execute(_SQL["note_usable"], {"question_ids": list(question_ids)})


def readings(connection: Connection, backfill: Backfill) -> dict[int, int]:
    """Return how many targets' rows stand by which reading."""
    rows = connection.execute(_SQL["count_readings"], backfill.in_ledger)
    return {row["reading"]: row["targets"] for row in rows}


def columns(connection: Connection, backfill: Backfill) -> dict[int, Filled | None]:
    """Return what each reading's fingerprints are of; None where that is not known."""
    rows = connection.execute(_SQL["columns_of_readings"], backfill.in_ledger)
    found = {row["reading"]: filled(row) for row in rows}
    return found or {backfill.reading: None}
