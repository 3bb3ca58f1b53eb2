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
    status: Status | None,
    *,
    position: str | None = None,
    notes: str | None = None,
) -> None:
    """Say where the backfill stands and count what is done, in the same transaction as its rows.

    A slice that commits says None: whether the run is at work is the run's to say. `position` is
    its greatest target_id; null keeps the last one. A row that somebody deleted is made anew.
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
    more = _more(connection, "")
    connection.execute(sql.SQL(_SQL["advance_checkpoint"]).format(more=more), values)


def reset(connection: Connection, backfill: Backfill) -> None:
    """Say that a version was rolled back: nothing of it is done."""
    statement = sql.SQL(_SQL["reset_checkpoint"]).format(more=_more(connection, "reset_"))
    connection.execute(statement, {"job_name": backfill.checkpoint})


def _more(connection: Connection, prefix: str) -> sql.Composed:
    """Return what is said in the columns that this kb_migrations has besides."""
    found = {row["name"] for row in connection.execute(_SQL["columns"])}
    return sql.SQL("").join(sql.SQL(_SQL[prefix + name]) for name in _MORE if name in found)


def cursor_type(backfill: Backfill) -> str:
    """Return what the cursor counts: the column of the target's id."""
    source, target = backfill.source, backfill.target
    if isinstance(target, NewRows):
        return target.id
    return source.id if isinstance(source, Rows) else "target_id"
