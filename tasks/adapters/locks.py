"""Postgres advisory locks: held by a connection, so a crashed holder locks nobody out."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.adapters import queries
from tasks.adapters.database import connect
from tasks.core.identity import lock_key

_SQL = queries.load("queries/locks.sql")


@contextmanager
def held(*name: str, holder: str = "") -> Iterator[str | None]:
    """Yield None when the lock is ours until the block ends, else the name of its holder."""
    key = lock_key(*name)
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["name_holder"], {"holder": holder[:63]})
        row = connection.execute(_SQL["try_lock"], {"key": key}).fetchone()
        if row and row["locked"]:
            yield None
            return
        other = connection.execute(_SQL["holder"], {"key": key}).fetchone()
        yield (other and other["holder"]) or "another process"


@contextmanager
def waiting(*name: str) -> Iterator[None]:
    """Hold the lock for the block; wait for it first."""
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["lock"], {"key": lock_key(*name)})
        yield
