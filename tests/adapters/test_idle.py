"""A process's next use of the database has the session of the last one, if it is still good."""

import psycopg
import pytest

from tasks.adapters import idle
from tasks.adapters.postgres import Connection, connect


def session(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid() as pid").fetchone()
    assert row
    return int(row["pid"])


def test_a_session_is_used_again_and_carries_nothing_over(database_url: str) -> None:
    with connect(database_url) as first, connect(database_url) as beside:
        was, other = session(first), session(beside)
        first.execute("set local datestyle = 'German'")
        first.execute("create temporary table staged on commit drop as select 1")
    assert was != other

    with connect(database_url) as again:
        assert session(again) == was
        with pytest.raises(psycopg.errors.DivisionByZero):
            again.execute("select 1 / 0")
        again.rollback()

    with connect(database_url) as after:
        assert session(after) == was
        row = after.execute(
            "select current_setting('datestyle') as style, to_regclass('staged') as staged,"
            " current_setting('lock_timeout') as patience"
        ).fetchone()
    assert row == {"style": "ISO, MDY", "staged": None, "patience": "1min"}


def test_a_session_that_is_gone_or_too_old_is_replaced(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(database_url) as first:
        was = session(first)
    with psycopg.connect(database_url) as owner:
        owner.execute("select pg_terminate_backend(%s)", [was])

    with connect(database_url) as second:
        now = session(second)
    monkeypatch.setattr(idle, "SECONDS", 0.0)
    with connect(database_url) as third:
        assert len({was, now, session(third)}) == 3


def test_a_session_with_something_open_is_not_used_again(database_url: str) -> None:
    left = connect(database_url)
    was = session(left)
    left.close()

    with connect(database_url) as after:
        assert session(after) != was
