"""Moments of a run: before each transaction and each call it may be killed, or told to stop.

A kill leaves what a killed process leaves: nothing is written after it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
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


def note_transactions(patch: pytest.MonkeyPatch, moments: Moments) -> None:
    """Let the beginning of every transaction be a moment."""
    really = postgres._limited

    def limited(connection: Any) -> Any:
        try:
            moments.note()
        except BaseException:
            connection.end()
            raise
        return really(connection)

    patch.setattr(postgres, "_limited", limited)


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
