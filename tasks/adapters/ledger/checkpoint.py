"""The row of kb_migrations that other tools read: where a backfill stands."""

from collections.abc import Callable
from typing import Literal

from psycopg import errors, sql

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.places import NewRows, Rows

_SQL = statements("engine/checkpoint.sql")
_MORE = ("items_failed", "started_at", "finished_at", "notes")
"""Columns that a user's table may have besides."""
Status = Literal["running", "waiting", "stopped", "completed", "failed"]
_OVER = ("stopped", "completed", "failed")
_PLAINLY = {
    "waiting": "running",
    "stopped": "failed",
    "rolling back": "running",
    "rolled back": "failed",
}
"""Where a user's table takes fewer words, the nearest one; what is meant then begins the notes."""


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
    advance = sql.SQL(_SQL["advance_checkpoint"]).format(more=_more(connection, ""))
    common = {
        **backfill.in_ledger,
        "job_name": backfill.checkpoint,
        "cursor_type": cursor_type(backfill),
        "cursor_position": position,
        "is_over": status in _OVER,
    }

    def put(word: str | None, said: str | None) -> None:
        values = {**common, "status": word, "notes": said}
        connection.execute(_SQL["open_checkpoint"], values)
        connection.execute(_SQL["lock_checkpoint"], values)
        connection.execute(advance, values)

    # What was waited for is over where it runs again.
    in_their_words(connection, status, "" if status == "running" and notes is None else notes, put)


def in_their_words(
    connection: Connection,
    status: str | None,
    notes: str | None,
    put: Callable[[str | None, str | None], None],
) -> None:
    """Put status and notes into kb_migrations, in words that a CHECK of the user's lets pass."""
    if status not in _PLAINLY:
        put(status, notes)
        return
    try:
        with connection.transaction():
            put(status, notes)
    except (errors.CheckViolation, errors.InvalidTextRepresentation):
        put(_PLAINLY[status], f"{status}: {notes}" if notes else status)


def say_stopped(connection: Connection, backfill: Backfill, notes: str) -> None:
    """Say that the backfill was stopped, where it says that it runs or waits."""
    job = {"job_name": backfill.checkpoint}
    found = connection.execute(_SQL["is_claimed"], job).fetchone()
    if found and found["is_claimed"]:
        say(connection, backfill, "stopped", notes=notes)


def set_count(connection: Connection, backfill: Backfill, name: str, count: int) -> None:
    """Put a number into one of the checkpoint's columns, where there is such a column."""
    if name in {row["name"] for row in connection.execute(_SQL["columns"])}:
        put = sql.SQL(_SQL["try_count"]).format(column=sql.Identifier(name))
        connection.execute(put, {"count": count, "job_name": backfill.checkpoint})


def reset(connection: Connection, backfill: Backfill) -> None:
    """Say that a version was rolled back: nothing of it is done."""
    statement = sql.SQL(_SQL["reset_checkpoint"]).format(more=_more(connection, "reset_"))

    def put(word: str | None, said: str | None) -> None:
        values = {"job_name": backfill.checkpoint, "status": word, "notes": said}
        connection.execute(statement, values)

    in_their_words(connection, "rolled back", "Rolled back.", put)


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
