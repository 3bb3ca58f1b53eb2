"""The row of kb_migrations that the user's other tools read; an existing table is kept as it is."""

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill

_SQL = statements("queries/checkpoint.sql")


def start(connection: Connection, backfill: Backfill) -> None:
    """Make sure that the backfill has its row, and say that it is running."""
    connection.execute(_SQL["open_checkpoint"], {"job_name": backfill.checkpoint})
    advance(connection, backfill, status="running")


def advance(
    connection: Connection, backfill: Backfill, *, status: str, position: str | None = None
) -> None:
    """Count what is done, in the same transaction as the rows it counts.

    `position` is the greatest target_id of the slice that commits; null keeps the last one.
    """
    connection.execute(_SQL["lock_checkpoint"], {"job_name": backfill.checkpoint})
    values = {
        "job_name": backfill.checkpoint,
        "backfill": backfill.name,
        "extractor_version": backfill.extractor_version,
        "cursor_position": position,
        "status": status,
    }
    connection.execute(_SQL["advance_checkpoint"], values)
