"""Who works on a slice, and how a lost process shows."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tasks.adapters import locks
from tasks.adapters.locks import OwnSlices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings

BEGIN = """
import time
from tasks.adapters.locks import own_slices
print(own_slices.begin("a-slice"), flush=True)
time.sleep(600)
"""
CUT_SESSIONS = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name like 'process %' and datname = current_database()
"""


@pytest.fixture(autouse=True)
def _here(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    monkeypatch.setattr(locks, "LOOK_EVERY_SECONDS", 600.0)  # the test looks itself
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_slice_has_one_worker_and_the_others_learn_its_name() -> None:
    mine, theirs = OwnSlices(), OwnSlices()

    assert mine.begin("a-slice") is None
    assert "process" in str(theirs.begin("a-slice"))
    assert theirs.begin("another") is None
    assert locks.holder_of("a-slice") is not None

    mine.end("a-slice")

    assert locks.holder_of("a-slice") is None
    assert theirs.begin("a-slice") is None
    theirs.end("a-slice")
    theirs.end("another")


def test_a_killed_process_leaves_its_slice_to_others() -> None:
    process = subprocess.Popen([sys.executable, "-c", BEGIN], stdout=subprocess.PIPE, text=True)
    said = process.stdout and process.stdout.readline().strip()
    held = locks.holder_of("a-slice")

    process.kill()
    process.communicate()

    while locks.holder_of("a-slice"):
        pass  # until Postgres has seen the connection close; the test's time-out ends it
    assert said == "None"
    assert str(process.pid) in str(held)


def test_a_lost_session_is_made_again_and_so_are_its_locks() -> None:
    mine = OwnSlices()
    for slice_id in ("one", "two"):
        mine.begin(slice_id)
    with connect() as connection:
        connection.execute(CUT_SESSIONS)
    assert mine.begin("three") is None

    mine.keep()

    assert all(locks.holder_of(slice_id) for slice_id in ("one", "two", "three"))
    for slice_id in ("one", "two", "three"):
        mine.end(slice_id)


def test_what_somebody_else_took_meanwhile_is_taken_again_once_it_is_free() -> None:
    mine, theirs = OwnSlices(), OwnSlices()
    mine.begin("one")
    with connect() as connection:
        connection.execute(CUT_SESSIONS)
    theirs.begin("one")
    mine.keep()
    theirs.end("one")

    mine.keep()

    assert locks.holder_of("one")
    mine.end("one")
