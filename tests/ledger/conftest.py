from collections.abc import Iterator

import psycopg
import pytest

from tasks.adapters.postgres import Connection, apply_migrations, connect, statements

TABLES = statements("demo/passages.sql")["create_tables"]


@pytest.fixture
def application(database_url: str) -> str:
    """Return a migrated database with the user's tables, empty."""
    with psycopg.connect(database_url) as connection:
        connection.execute(TABLES)
    apply_migrations(database_url)
    return database_url


@pytest.fixture
def connection(application: str) -> Iterator[Connection]:
    with connect(application) as opened:
        yield opened
