"""Postgres goes away and comes back: a run waits for it; one that was never there is named."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_postgres import Restartable

from deployments.local.ports import free_port
from tasks.adapters.leases import held
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.errors import SettingsError


@pytest.fixture
def postgres_of_its_own(session_dir: Path) -> Iterator[Restartable]:
    one = Restartable(session_dir / "restartable")
    yield one
    one.stop()


def test_a_database_that_restarts_is_waited_for(
    postgres_of_its_own: Restartable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", postgres_of_its_own.server.url("postgres"))
    settings.cache_clear()

    with held("run", "some") as holder:
        postgres_of_its_own.end("killed")
        back = threading.Timer(1.0, postgres_of_its_own.start)
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
