"""Postgres advisory locks: held by a connection, so a crashed holder locks nobody out."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tasks.adapters.postgres import connect, statements
from tasks.core.identity import lock_key

OWN_SECONDS = 90.0  # Postgres notices a lost machine within a minute
LONGEST_NAME = 63  # of an application_name

_SQL = statements("queries/locks.sql")


@contextmanager
def held(*name: str, holder: str = "") -> Iterator[str | None]:
    """Yield None when the lock is ours until the block ends, else the name of its holder."""
    key = lock_key(*name)
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["name_holder"], {"holder": holder[:LONGEST_NAME]})
        row = connection.execute(_SQL["try_lock"], {"key": key}).fetchone()
        if row and row["locked"]:
            yield None
            return
        other = connection.execute(_SQL["holder"], {"key": key}).fetchone()
        yield (other and other["holder"]) or "another process"


def held_within(seconds: float, *name: str, holder: str = "") -> AbstractContextManager[str | None]:
    """Yield as `held` does, after waiting so long for another holder to let go."""
    return _held_later(seconds, lambda _: True, name, holder)


def held_after_own(*name: str, holder: str) -> AbstractContextManager[str | None]:
    """Yield as `held` does, after an earlier process of the same holder has let go.

    A run that is resumed or retried may begin before its last process, or machine, is gone.
    """
    return _held_later(OWN_SECONDS, lambda other: other == holder[:LONGEST_NAME], name, holder)


@contextmanager
def _held_later(
    seconds: float, worth_waiting: Callable[[str], bool], name: tuple[str, ...], holder: str
) -> Iterator[str | None]:
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        while other := stack.enter_context(held(*name, holder=holder)):
            if not worth_waiting(other) or time.monotonic() > deadline:
                break
            stack.close()
            time.sleep(0.5)
        yield other


@contextmanager
def waiting(*name: str) -> Iterator[None]:
    """Hold the lock for the block; wait for it first."""
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["lock"], {"key": lock_key(*name)})
        yield
