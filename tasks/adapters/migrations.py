"""The ledger's schema, brought up to date file by file."""

import hashlib
from pathlib import Path

from tasks.adapters.postgres import SQL_ROOT, Connection, connect, statements
from tasks.core.errors import PreflightError
from tasks.core.identity import lock_key

_SQL = statements("queries/migrations.sql")


def apply_migrations(database_url: str | None = None) -> list[str]:
    """Bring the ledger's schema up to date; return the names of what was applied.

    Each file is applied in one transaction with its record; the user's own tables are never
    touched.
    """
    with connect(database_url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (lock_key("migrations"),))
        recorded = _recorded(connection)
        return [path.name for path in _migrations() if _apply(connection, path, recorded)]


def pending_migrations(connection: Connection) -> list[str]:
    """Return the names of the ledger's migrations that this database has not had yet."""
    recorded = _recorded(connection)
    return [path.name for path in _migrations() if path.name not in recorded]


def _migrations() -> list[Path]:
    return sorted((SQL_ROOT / "migrations").glob("*.sql"))


def _recorded(connection: Connection) -> dict[str, str]:
    exists = connection.execute(_SQL["ledger_exists"]).fetchone()
    if not exists or not exists["present"]:
        return {}
    return {row["name"]: row["sha256"] for row in connection.execute(_SQL["recorded"])}


def _apply(connection: Connection, path: Path, recorded: dict[str, str]) -> bool:
    text = path.read_bytes()
    sha256 = hashlib.sha256(text).hexdigest()
    if path.name in recorded:
        if recorded[path.name] != sha256:
            message = (
                f"{path.name} was applied to this database with other contents: restore the file,"
                " and put the change into a new migration."
            )
            raise PreflightError(message)
        return False
    with connection.transaction():
        connection.execute(text)
        connection.execute(_SQL["record"], {"name": path.name, "sha256": sha256})
    return True
