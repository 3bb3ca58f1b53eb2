"""Who works on which slice: one Postgres session of this process holds a lock for each of its own.

A process that dies loses its session, and with it the locks: that is how a lost worker shows.
"""

import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import LiteralString

import psycopg

from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.core.errors import SettingsError
from tasks.core.identity import lock_key

_SQL = statements("queries/locks.sql")
LOOK_EVERY_SECONDS = 5.0


class Work:
    """The slices that this process works on."""

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
                    self._connection.execute(_SQL["unlock"], _key(slice_id))
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
        row = self._ask(_SQL["try_lock"], _key(slice_id))
        if row and row["locked"]:
            return None
        other = self._ask(_SQL["holder"], _key(slice_id))
        return str((other and other["holder"]) or "another process")

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


def holder(slice_id: str) -> str | None:
    """Return who works on a slice, or None when nobody does."""
    with connect() as connection:
        found = connection.execute(_SQL["holder"], _key(slice_id)).fetchone()
    return str(found["holder"]) if found else None


def _key(slice_id: str) -> dict[str, int]:
    return {"key": lock_key("work", slice_id)}


work = Work()
"""This process's."""
