"""The one shape that every process of the embedded stack has."""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from deployments.local.privileges import Account


@dataclass(frozen=True)
class Part:
    """Describe one process: how it is started, when it is ready, how it is asked to stop."""

    home: Path

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    patience: ClassVar[float] = 15.0  # seconds between the stop signal and SIGKILL

    def prepare(self) -> None:
        """Make what the process finds on disk when it starts."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Return the command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what the process needs in its environment beside ours."""
        return {}

    def account(self) -> Account | None:
        """Return whom the process runs as, or None for whoever starts it."""
        return None

    def directory(self) -> Path:
        """Return where the process works."""
        return self.home

    def ready(self, since: float) -> bool:
        """Return whether the process that was started at `since` (Unix time) answers."""
        raise NotImplementedError

    def settle(self) -> None:
        """Finish what can only be done once the process answers."""

    def strays(self) -> list[int]:
        """Return the ids of processes that outlived a killed one and stand in a new one's way."""
        return []


def module(name: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module under this very Python."""
    return [sys.executable, "-m", name, *arguments]


def answers(url: str) -> bool:
    """Return whether a GET of `url` succeeds within two seconds."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False
