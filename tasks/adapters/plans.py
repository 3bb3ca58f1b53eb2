"""How Postgres finds rows of tables that it knows nothing of yet.

A first run fills the ledger and the user's table while their statistics are of empty tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.adapters.postgres import Connection, statements

_SQL = statements("queries/connections.sql")


@contextmanager
def by_id(connection: Connection) -> Iterator[None]:
    """Let rows be looked up by their ids: a few of a table."""
    connection.execute(_SQL["by_id"])
    yield
    connection.execute(_SQL["as_it_likes"])


@contextmanager
def by_hashing(connection: Connection) -> Iterator[None]:
    """Let whole tables be joined each read once."""
    connection.execute(_SQL["by_hashing"])
    yield
    connection.execute(_SQL["as_it_likes"])
