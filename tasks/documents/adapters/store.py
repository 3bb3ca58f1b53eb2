"""The index's SQLite file: many readers, one writer, one transaction at a time."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tasks.adapters.postgres import statements
from tasks.core.errors import SettingsError

Row = dict[str, Any]
_SETTINGS = (
    "pragma journal_mode = wal",
    "pragma synchronous = normal",
    "pragma busy_timeout = 120000",
    "pragma temp_store = file",  # memory must not grow with the number of rows
)


class Store:
    """One connection to the index; statements go by their names in sql/documents."""

    def __init__(self, connection: sqlite3.Connection, file: str) -> None:
        self._connection = connection
        self._statements = statements(f"documents/{file}")

    def run(self, name: str, values: Mapping[str, Any] | None = None) -> int:
        """Run one statement and return the number of rows it touched."""
        return self._connection.execute(self._statements[name], values or {}).rowcount

    def run_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Run one statement for each of a stream of rows and return the number of rows touched."""
        return self._connection.executemany(self._statements[name], rows).rowcount

    def rows(self, name: str, values: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """Yield the rows of a query one by one."""
        cursor = self._connection.execute(self._statements[name], values or {})
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def columns(self, name: str) -> list[str]:
        """Return the names of a query's columns."""
        cursor = self._connection.execute(self._statements[name])
        return [column[0] for column in cursor.description]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take the writer's place; commit at the end, or undo everything."""
        self._connection.execute("begin immediate")
        with self._connection:
            yield


@contextmanager
def opened(database: Path, file: str) -> Iterator[Store]:
    """Yield a store with the statements of one file; raise one sentence if it cannot be."""
    try:
        connection = sqlite3.connect(database, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise SettingsError(
            f"{database} cannot be opened as SQLite ({error}); choose another `database`."
        ) from None
    with closing(connection):
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
        except sqlite3.DatabaseError as error:
            raise SettingsError(
                f"{database} is not a SQLite file that can be used ({error}); choose another"
                " `database`."
            ) from None
        yield Store(connection, file)


def create(database: Path) -> None:
    """Create the tables and views that are not there yet; change nothing in another's file."""
    for file in ("schema.sql", "views.sql"):
        with opened(database, file) as store:
            try:
                with store.transaction():
                    for name in statements(f"documents/{file}"):
                        store.run(name)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # locked, full, unreadable
                    raise
                raise SettingsError(
                    f"{database} holds tables that this index did not make ({error});"
                    " choose another file in `database`."
                ) from None
