"""Moments of a run: before each transaction and each call it may be killed, or told to stop.

A kill leaves what a killed process leaves: nothing is written after it. Connections are kept open
between transactions, with their sessions as new, because to open them is half of a small run.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
import psycopg
import pytest

from tasks.adapters import postgres


class Killed(BaseException):
    """What a killed process does not live to see."""


class Moments:
    """Counts the transactions and calls of a run; at the chosen one something happens to it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._left: int | None = None
        self._strike: Callable[[], None] | None = None
        self._is_dead = False

    def note(self) -> None:
        with self._guard:
            if self._is_dead:
                raise Killed
            if self._left is None:
                return
            self._left -= 1
            if self._left > 0:
                return
            self._left = None
            self._is_dead = self._strike is None
            if self._strike is None:
                raise Killed
            self._strike()

    @contextmanager
    def at(self, moment: int | None, strike: Callable[[], None] | None) -> Iterator[None]:
        """Let it happen at a moment; nothing is written after a kill."""
        self._left, self._strike, self._is_dead = moment, strike, False
        try:
            yield
        finally:
            self._left, self._is_dead = None, False


class _Kept(postgres._Connection):
    """A connection that goes back where it came from; its session is as new."""

    home: list["_Kept"]

    def close(self) -> None:
        if self.closed or self.broken:
            super().close()
            return
        self.rollback()
        if self.autocommit:
            self.execute("select pg_advisory_unlock_all()")
            self.execute("reset all")
        self.home.append(self)


def keep_connections(patch: pytest.MonkeyPatch, moments: Moments) -> Callable[[], None]:
    """Let connections be used again, and every transaction be a moment; return what ends them."""
    idle: dict[bool, list[_Kept]] = {True: [], False: []}

    def opened(url: str, *, autocommit: bool) -> psycopg.Connection[Any]:
        moments.note()
        if idle[autocommit]:
            return idle[autocommit].pop()
        made = really(url, autocommit=autocommit)
        made.home = idle[autocommit]
        return made

    def end() -> None:
        for each in (*idle[True], *idle[False]):
            psycopg.Connection.close(each)

    patch.setattr(postgres, "_Connection", _Kept)
    really: Any = postgres._open
    patch.setattr(postgres, "_open", opened)
    return end


def note_calls(patch: pytest.MonkeyPatch, moments: Moments) -> None:
    """Let every call of the service be a moment too."""
    for library in (httpx, httpx2):
        really = library.Client.send

        def sent(
            client: Any, request: Any, *given: Any, _really: Any = really, **named: Any
        ) -> Any:
            if "/_emulator" not in str(request.url):
                moments.note()
            return _really(client, request, *given, **named)

        patch.setattr(library.Client, "send", sent)
