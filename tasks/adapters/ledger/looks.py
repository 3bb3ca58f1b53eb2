"""Up to when all rows were looked at, where their table says when each was changed."""

from datetime import datetime, timedelta

from tasks.adapters import tables
from tasks.adapters.ledger import answers
from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.identity import digest

OVERLAP = timedelta(hours=1)
"""A transaction that was open for so long as the last look began is seen by the next one."""
OVERLAP_WITHOUT_ZONE = timedelta(days=1)
"""The same where nobody knows whose clock a column without a time zone shows."""
WHOLE_EVERY = timedelta(days=7)

_SQL = statements("queries/looks.sql")


def since(connection: Connection, backfill: Backfill) -> datetime | None:
    """Return from when on changed rows want a look; None where all rows do.

    They do before a first look that left nothing, once a week, after the ledger forgot an entry,
    and while rows wait to be restored: what became of those since nobody has noted.
    """
    if not backfill.changed or answers.waiting(connection, backfill).ready:
        return None
    values = {
        **_values(backfill),
        "overlap": _overlap(connection, backfill),
        "whole_every": WHOLE_EVERY,
    }
    row = connection.execute(_SQL["since"], values).fetchone()
    return row["since"] if row else None


def note(connection: Connection, backfill: Backfill, *, is_whole: bool) -> None:
    """Note that this transaction has looked at all rows, or at all that changed, and left none."""
    if backfill.changed:
        connection.execute(_SQL["note_look"], {**_values(backfill), "is_whole": is_whole})


def _overlap(connection: Connection, backfill: Backfill) -> timedelta:
    source = tables.of(connection, backfill).source
    has_zone = source is not None and source.columns[backfill.changed].base == "timestamptz"
    return OVERLAP if has_zone else OVERLAP_WITHOUT_ZONE


def _values(backfill: Backfill) -> dict[str, object]:
    return {
        **backfill.in_ledger,
        "described": digest((repr(backfill.source), repr(backfill.target))),
    }
