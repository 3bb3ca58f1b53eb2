"""Which version a backfill's readers get: the one that a person promoted last, and why."""

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill

_SQL = statements("queries/promotions.sql")


def promoted(connection: Connection, name: str) -> str | None:
    """Return the version that was promoted last and not rolled back; None where none was."""
    row = connection.execute(_SQL["promoted"], {"backfill": name}).fetchone()
    return str(row["extractor_version"]) if row else None


def readers_version(connection: Connection, backfill: Backfill) -> str:
    """Return the version that readers get who name none."""
    return promoted(connection, backfill.name) or backfill.extractor_version


def promote(
    connection: Connection, backfill: Backfill, by: str, reason: str, coverage: float
) -> None:
    """Note that readers get this version from now on, who said so, why, and what it covered."""
    values = {
        **backfill.in_ledger,
        "promoted_by": by,
        "reason": reason,
        "coverage": coverage,
    }
    connection.execute(_SQL["promote"], values)
