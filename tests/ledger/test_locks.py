"""The run lock: who holds it, and what becomes of it when its holder goes."""

from collections.abc import Iterator

import pytest

from tasks.adapters import locks
from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.adapters.settings import settings
from tasks.core.identity import lock_key

SQL = statements("queries/locks.sql")
KEY = {"key": lock_key("run", "a-backfill")}


@pytest.fixture
def other(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """Yield a session that holds the lock of a backfill under a name."""
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    settings.cache_clear()
    with connect(autocommit=True) as connection:
        connection.execute(SQL["name_holder"], {"holder": "the other run"})
        connection.execute(SQL["try_lock"], KEY)
        yield connection
    settings.cache_clear()


def test_a_lock_that_somebody_holds_names_its_holder(other: Connection) -> None:
    with locks.held("run", "a-backfill", holder="me") as holder:
        assert holder == "the other run"


def test_a_lock_that_is_let_go_while_we_ask_for_its_holder_is_ours(other: Connection) -> None:
    asked: list[str] = []

    def ask(name: str) -> Row | None:
        asked.append(name)
        if name == "holder":
            other.execute(SQL["unlock"], KEY)
        with connect(autocommit=True) as mine:
            return mine.execute(SQL[name], KEY).fetchone()

    assert locks._taken_by(ask) is None
    assert asked == ["try_lock", "holder", "try_lock"]
