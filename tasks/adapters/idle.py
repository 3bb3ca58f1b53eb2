"""Connections between two uses: to open one costs more than most of what is done with it."""

import threading
import time
from collections import deque
from typing import Generic, Protocol, TypeVar

MOST = 8
SECONDS = 10.0
"""What was idle for longer may be gone without a word: firewalls forget it."""


class Reusable(Protocol):
    """A connection that leaves nothing behind in its session."""

    url: str
    idle_since: float

    def end(self) -> None:
        """Close it for good."""


C = TypeVar("C", bound=Reusable)


class Idle(Generic[C]):
    """The connections that nobody in this process uses at the moment, the latest last."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._connections: deque[C] = deque()

    def take(self, url: str) -> C | None:
        """Return the one that was used last, if any leads there."""
        with self._guard:
            self._end_old()
            for connection in reversed(self._connections):
                if connection.url == url:
                    self._connections.remove(connection)
                    return connection
        return None

    def give(self, connection: C) -> None:
        """Keep one for its next use."""
        connection.idle_since = time.monotonic()
        with self._guard:
            self._connections.append(connection)
            if len(self._connections) > MOST:
                self._connections.popleft().end()

    def end(self) -> None:
        """Close all of them."""
        with self._guard:
            while self._connections:
                self._connections.popleft().end()

    def _end_old(self) -> None:
        long_ago = time.monotonic() - SECONDS
        while self._connections and self._connections[0].idle_since < long_ago:
            self._connections.popleft().end()
