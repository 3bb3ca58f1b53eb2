"""Ctrl-C that cannot get lost: Python drops one that falls into a callback of an import."""

import signal
import threading
from types import FrameType

_seen = threading.Event()


def listen() -> None:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt, now and at every later `check`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def check() -> None:
    """Raise KeyboardInterrupt if this process was told to stop."""
    if _seen.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    _seen.set()
    raise KeyboardInterrupt
