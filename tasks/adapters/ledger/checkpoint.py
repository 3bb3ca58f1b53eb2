"""The row of kb_migrations that the user's other tools read; an existing table is kept as it is."""

from typing import Literal

from psycopg import sql

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill, NewRows, Rows

_SQL = statements("engine/checkpoint.sql")
_MORE = ("items_failed", "started_at", "finished_at", "notes")
"""Columns that a user's table may have besides."""

Status = Literal["running", "waiting", "stopped", "completed", "failed"]
_OVER = ("stopped", "completed", "failed")


def say(
    connection: Connection,
    backfill: Backfill,
    status: Status,
    *,
    position: str | None = None,
    notes: str | None = None,
) -> None:
    """Say where the backfill stands and count what is done, in the same transaction as its rows.

    `position` is the greatest target_id of the slice that commits; null keeps the last one. A row
    that somebody deleted is made anew.
    """
    values = {
        "job_name": backfill.checkpoint,
        "backfill": backfill.name,
        "extractor_version": backfill.extractor_version,
        "cursor_type": cursor_type(backfill),
        "cursor_position": position,
        "status": status,
        "is_over": status in _OVER,
        "notes": notes,
    }
    connection.execute(_SQL["open_checkpoint"], values)
    connection.execute(_SQL["lock_checkpoint"], values)
    found = {row["name"] for row in connection.execute(_SQL["columns"])}
    more = sql.SQL("").join(sql.SQL(_SQL[name]) for name in _MORE if name in found)
    connection.execute(sql.SQL(_SQL["advance_checkpoint"]).format(more=more), values)


def cursor_type(backfill: Backfill) -> str:
    """Return what the cursor counts: the column of the target's id."""
    source, target = backfill.source, backfill.target
    if isinstance(target, NewRows):
        return target.id
    return source.id if isinstance(source, Rows) else "target_id"
