"""Postgres goes away and comes back: a run waits for it; one that was never there is named."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.local.ports import free_port
from deployments.local.postgres import Postgres
from deployments.local.processes import Record, spawn, stop, wait
from tasks.adapters.leases import held
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.errors import SettingsError


class Restartable:
    """A Postgres of the test's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = Postgres(home / "data", free_port(0))
        self.start()

    def start(self) -> None:
        self.record: Record = spawn(self.server, self.home / "log", self.home, dict(os.environ))
        wait(self.server, self.record, self.home / "log", deadline=60)

    def kill(self) -> None:
        process = self.record.process()
        assert process
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        if process := self.record.process():
            stop([process], self.server.stop_signal, self.server.patience)


@pytest.fixture
def postgres_of_its_own(session_dir: Path) -> Iterator[Restartable]:
    home = session_dir / "restartable"
    home.mkdir()
    home.chmod(0o711)
    one = Restartable(home)
    yield one
    one.stop()


def test_a_database_that_restarts_is_waited_for(
    postgres_of_its_own: Restartable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", postgres_of_its_own.server.url("postgres"))
    settings.cache_clear()

    with held("run", "some") as holder:
        postgres_of_its_own.kill()
        back = threading.Thread(target=_later, args=(postgres_of_its_own,))
        back.start()
        with connect() as after:
            row = after.execute("select 1 as one").fetchone()
    back.join()
    settings.cache_clear()

    assert holder is None
    assert row == {"one": 1}


def test_a_database_that_was_never_there_is_named_at_once() -> None:
    began = time.monotonic()

    with pytest.raises(SettingsError, match="cannot be reached"):
        connect(f"postgresql://nobody:secret@127.0.0.1:{free_port(0)}/none")

    assert time.monotonic() - began < 20


def _later(one: Restartable) -> None:
    time.sleep(1.0)
    one.start()
