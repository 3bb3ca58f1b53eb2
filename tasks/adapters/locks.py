"""Postgres advisory locks: held by a connection, so a crashed holder locks nobody out."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
def held_within(seconds: float, *name: str, holder: str = "") -> Iterator[str | None]:
    """Yield as `held` does, after waiting so long for another holder to let go."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        while other := stack.enter_context(held(*name, holder=holder)):
            stack.close()
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        yield other


@contextmanager
def waiting(*name: str) -> Iterator[None]:
    """Hold the lock for the block; wait for it first."""
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["lock"], {"key": lock_key(*name)})
        yield
