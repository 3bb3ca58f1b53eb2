"""Postgres advisory locks: held by a connection, so a crashed holder locks nobody out."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import LiteralString

import psycopg

from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.core.errors import SettingsError
from tasks.core.identity import lock_key

LOOK_EVERY_SECONDS = 5.0
OWN_SECONDS = 90.0  # Postgres notices a lost machine within a minute
LONGEST_NAME = 63  # of an application_name
_LET_GO_SECONDS = 0.05

_SQL = statements("queries/locks.sql")


def _taken_by(ask: Callable[[str], Row | None]) -> str | None:
    """Return None once the lock is ours, else the name of its holder.

    Where nobody holds it any more by the time we ask who does, it was just let go.
    """
    while not (row := ask("try_lock")) or not row["locked"]:
        if (other := ask("holder")) is not None:
            return str(other["holder"] or "another process")
        time.sleep(_LET_GO_SECONDS)
    return None


@contextmanager
def held(*name: str, holder: str = "") -> Iterator[str | None]:
    """Yield None when the lock is ours until the block ends, else the name of its holder."""
    key = lock_key(*name)
    with connect(autocommit=True) as connection:
        connection.execute(_SQL["name_holder"], {"holder": holder[:LONGEST_NAME]})
        other = _taken_by(lambda name: connection.execute(_SQL[name], {"key": key}).fetchone())
        try:
            yield other
        finally:
            # Closing the connection would do it too, but a moment after this block.
            if other is None:
                with suppress(psycopg.OperationalError):
                    connection.execute(_SQL["unlock"], {"key": key})


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


class OwnSlices:
    """The slices that this process works on: one session holds a lock for each of them.

    A process that dies loses its session, and with it the locks: that is how a lost worker shows.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._connection: Connection | None = None
        self._locked: dict[str, bool] = {}
        self._idle = threading.Event()

    def begin(self, slice_id: str) -> str | None:
        """Return None when the slice is ours until `end`, else who works on it."""
        with self._guard:
            other = self._lock(slice_id)
            if other is None:
                if not self._locked:
                    self._watch()
                self._locked[slice_id] = True
            self._close_if_idle()
            return other

    def end(self, slice_id: str) -> None:
        """Let the slice go."""
        with self._guard:
            self._locked.pop(slice_id, None)
            with suppress(psycopg.OperationalError):  # a lost session has let go already
                if self._connection is not None:
                    self._connection.execute(_SQL["unlock"], _key_of(slice_id))
            self._close_if_idle()

    def keep(self) -> None:
        """Take the locks again if the session was lost, as when Postgres restarts."""
        with self._guard, suppress(psycopg.OperationalError, SettingsError):
            if not self._locked:
                return
            self._ask(_SQL["is_alive"])
            for slice_id, is_locked in self._locked.items():
                # Somebody may have been quicker: the ledger keeps two from doing harm.
                self._locked[slice_id] = is_locked or self._lock(slice_id) is None

    def _watch(self) -> None:
        """Keep the locks for as long as there are any, whatever else this process does."""
        self._idle = threading.Event()
        threading.Thread(target=self._keep_until, args=(self._idle,), daemon=True).start()

    def _keep_until(self, idle: threading.Event) -> None:
        while not idle.wait(LOOK_EVERY_SECONDS):
            self.keep()

    def _lock(self, slice_id: str) -> str | None:
        return _taken_by(lambda name: self._ask(_SQL[name], _key_of(slice_id)))

    def _ask(self, statement: LiteralString, values: Mapping[str, int] | None = None) -> Row | None:
        """Return the answer of the session; of a new one if the old one was lost."""
        try:
            return self._session().execute(statement, values).fetchone()
        except psycopg.OperationalError:
            self._connection = None
            return self._session().execute(statement, values).fetchone()

    def _session(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(autocommit=True)
            self._locked = dict.fromkeys(self._locked, False)
            holder = f"process {os.getpid()} on {socket.gethostname()}"
            self._connection.execute(_SQL["name_holder"], {"holder": holder[:63]})
            self._connection.execute(_SQL["notice_a_lost_machine"])
        return self._connection

    def _close_if_idle(self) -> None:
        if not self._locked and self._connection is not None:
            self._idle.set()
            self._connection.close()
            self._connection = None


def holder_of(slice_id: str) -> str | None:
    """Return who works on a slice, or None when nobody does."""
    with connect() as connection:
        found = connection.execute(_SQL["holder"], _key_of(slice_id)).fetchone()
    return str(found["holder"]) if found else None


def _key_of(slice_id: str) -> dict[str, int]:
    return {"key": lock_key("work", slice_id)}


own_slices = OwnSlices()
"""Those of this process."""
