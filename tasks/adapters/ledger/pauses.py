"""A person's pause of a backfill, whichever run or version is at work."""

from datetime import datetime

from tasks.adapters.postgres import Connection, statements

_SQL = statements("queries/pauses.sql")


def put(connection: Connection, name: str) -> None:
    """Pause a backfill; one that is paused stays so."""
    connection.execute(_SQL["put"], {"backfill": name})


def lift(connection: Connection, name: str) -> bool:
    """Let a backfill go on; return whether it was paused."""
    return connection.execute(_SQL["lift"], {"backfill": name}).fetchone() is not None


def since(connection: Connection, name: str) -> datetime | None:
    """Return since when a backfill is paused; None where it is not."""
    row = connection.execute(_SQL["since"], {"backfill": name}).fetchone()
    return row["since"] if row else None
