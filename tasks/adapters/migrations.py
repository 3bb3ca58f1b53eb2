"""Bring the ledger's schema up to date; the user's own tables are never touched."""

import hashlib
from pathlib import Path

from tasks.adapters import queries
from tasks.adapters.database import Connection, connect
from tasks.core.errors import PreflightError
from tasks.core.identity import lock_key

_SQL = queries.load("queries/migrations.sql")


def apply(database_url: str | None = None) -> list[str]:
    """Apply what is missing, each file in one transaction with its record; return their names."""
    with connect(database_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (lock_key("migrations"),))
        recorded = _recorded(connection)
        return [
            path.name
            for path in sorted((queries.SQL_ROOT / "migrations").glob("*.sql"))
            if _apply_one(connection, path, recorded)
        ]


def pending(connection: Connection) -> list[str]:
    """Return the names of migrations that this database has not had yet."""
    recorded = _recorded(connection)
    files = sorted((queries.SQL_ROOT / "migrations").glob("*.sql"))
    return [path.name for path in files if path.name not in recorded]


def _recorded(connection: Connection) -> dict[str, str]:
    exists = connection.execute(_SQL["ledger_exists"]).fetchone()
    if not exists or not exists["present"]:
        return {}
    return {row["name"]: row["sha256"] for row in connection.execute(_SQL["recorded"])}


def _apply_one(connection: Connection, path: Path, recorded: dict[str, str]) -> bool:
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
