"""The views that readers of the results use; made once the user's tables are there."""

from tasks.adapters import queries
from tasks.adapters.database import Connection, connect

_SQL = queries.load("queries/views.sql")


def create(database_url: str | None = None) -> list[str]:
    """Create the views that are missing and possible; return their names."""
    with connect(database_url) as connection:
        return create_on(connection)


def create_on(connection: Connection) -> list[str]:
    """Create them on an open connection, in its transaction."""
    return [row["name"] for row in connection.execute(_SQL["create_views"])]
