"""What following a run shows: its lines, and below them a bar; plain lines where nobody looks."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from tasks.adapters import status
from tasks.core.errors import BackfillError
from tasks.core.status import RunStatus
from tasks.core.unseen import printable

LEDGER_SECONDS = 2.0
PLAIN_SECONDS = 60.0


class Screen:
    """A terminal with a bar at its foot, or a file of lines."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._looked = 0.0
        self._last = ""

    @property
    def is_terminal(self) -> bool:
        """Whether a person may type an answer."""
        return self._console.is_terminal and sys.stdin.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._take_bar_away()

    def say(self, line: str) -> None:
        """Show one line, above the bar."""
        self._console.print(printable(line), markup=False)

    def ask(self, question: str, page: str, amount: float) -> None:
        """Show what a run asks, and how it can be answered."""
        self._take_bar_away()
        self.say("")
        self.say(question.replace("**", ""))
        self.say("")
        if self.is_terminal:
            self.say(f"Type yes to approve up to {amount:.2f} USD, or another amount, or no.")
        self.say(f"{'Or answer' if self.is_terminal else 'Answer'} on its page: {page}")

    def progress(self, run: UUID, *, is_last: bool = False) -> None:
        """Show how far the run is, as the ledger knows it."""
        every = LEDGER_SECONDS if self._console.is_terminal else PLAIN_SECONDS
        if not is_last and time.monotonic() - self._looked < every:
            return
        self._looked = time.monotonic()
        now = _read(lambda: status.of_flow_run(str(run)))
        if now is None or not now.targets:
            return
        if is_last:
            self._take_bar_away()
        if self._console.is_terminal and not is_last:
            self._bar(now)
        elif self._last != (said := now.progress):
            self._last = said
            self.say(said)

    def _bar(self, now: RunStatus) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=now.targets, completed=now.ended, width=30), now.progress)
        self._live.update(line, refresh=True)

    def _take_bar_away(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _read(look: Callable[[], RunStatus | None]) -> RunStatus | None:
    """Return what the ledger says; None where this terminal cannot read it: the run goes on."""
    try:
        return look()
    except (BackfillError, psycopg.Error):
        return None
