"""A Postgres of a test's own, which it may stop in any way and start again."""

import os
import signal
import time
from pathlib import Path

from deployments.local.ports import free_port
from deployments.local.postgres import Postgres
from deployments.local.processes import Record, spawn, stop, wait

WAYS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "killed": signal.SIGKILL}


class Restartable:
    """A running server, as long as the test wants it to run."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        home.chmod(0o711)
        self.home = home
        self.server = Postgres(home / "data", free_port(0))
        self.start()

    def start(self) -> None:
        self.record: Record = spawn(self.server, self.home / "log", self.home, dict(os.environ))
        wait(self.server, self.record, self.home / "log", deadline=60)

    def end(self, way: str) -> None:
        """Let it end, and return when it has."""
        process = self.record.process()
        assert process
        process.send_signal(WAYS[way])
        process.wait(30)

    def restart(self, way: str, away: float = 1.0) -> None:
        self.end(way)
        time.sleep(away)
        self.start()

    def stop(self) -> None:
        if process := self.record.process():
            stop([process], self.server.stop_signal, self.server.patience)
