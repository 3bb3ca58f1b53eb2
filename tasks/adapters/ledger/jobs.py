"""What the ledger knows of a slice's batch job while it is in doubt, by the database's clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.models import Slice

_SQL = statements("queries/jobs.sql")


def is_fresh(connection: Connection, slice_id: str, reserved_at: datetime, seconds: float) -> bool:
    """Return whether a reservation stands as it was made, and is not older than that."""
    values = {"slice_id": slice_id, "reserved_at": reserved_at, "seconds": seconds}
    return connection.execute(_SQL["is_fresh"], values).fetchone() is not None


def is_reserved_for(connection: Connection, slice_id: str, seconds: float) -> bool:
    """Return whether a slice has been reserved for longer than that."""
    values = {"slice_id": slice_id, "seconds": seconds}
    return connection.execute(_SQL["is_reserved_for"], values).fetchone() is not None


def age_of_job(connection: Connection, slice_id: str) -> timedelta | None:
    """Return how long ago the slice's job was created; None where it has none."""
    row = connection.execute(_SQL["age_of_job"], {"slice_id": slice_id}).fetchone()
    return cast("timedelta | None", row["age"]) if row else None


def by_display_name(
    connection: Connection, backfill: Backfill, names: Sequence[str]
) -> dict[str, Slice]:
    """Return the slices of a backfill, in all versions, whose jobs go by some names."""
    values = {"backfill": backfill.name, "display_names": list(names)}
    rows = connection.execute(_SQL["by_display_name"], values)
    return {row["display_name"]: Slice.model_validate(row) for row in rows}


def ended_of(connection: Connection, slice_ids: Sequence[str]) -> list[str]:
    """Return those of some slices, of whatever backfill, whose files nobody needs any more."""
    rows = connection.execute(_SQL["ended_of"], {"slice_ids": list(slice_ids)})
    return [row["slice_id"] for row in rows]
