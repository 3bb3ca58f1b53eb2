"""Who may act on a run or a slice, and how a process that is gone, or stood still, shows."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from tasks.adapters import leases
from tasks.adapters.leases import Lease, begin, held, holder_of, working
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.errors import LeaseLostError

BEGIN = """
import time
from tasks.adapters.leases import begin, working
with working(begin("a-slice")):
    print("begun", flush=True)
    time.sleep(600)
"""
COPY = """
import sys, time
from tasks.adapters.leases import begin, working
from tasks.adapters.postgres import connect
with working(begin("a-slice")), connect() as connection:
    with connection.cursor().copy("copy things (id) from stdin") as copy:
        copy.write("1\\n" * 100_000)
        print("begun", flush=True)
        sys.stdin.readline()
        copy.write("2\\n")
    print("written", flush=True)
"""
SECONDS = 2.0


@pytest.fixture(autouse=True)
def _here(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    monkeypatch.setenv("BACKFILL_LEASE_SECONDS", str(SECONDS))
    monkeypatch.setattr(leases, "_SECONDS_TO_COMMIT", 1)
    settings.cache_clear()
    apply_migrations()
    yield
    settings.cache_clear()


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout
    assert started.stdout.readline().strip() == "begun"
    try:
        yield started
    finally:
        started.send_signal(signal.SIGCONT)
        started.kill()
        started.communicate()


def lease_of(slice_id: str) -> Lease:
    taken = begin(slice_id)
    assert isinstance(taken, Lease)
    return taken


def on_another_machine() -> None:
    with connect(fenced=False) as connection:
        connection.execute("update backfill.leases set machine = 'another', process_id = 1")


def test_a_slice_has_one_worker_and_the_others_learn_its_name() -> None:
    with working(lease_of("a-slice")):
        assert "process" in str(begin("a-slice"))
        assert "process" in str(holder_of("slice", "a-slice"))
        with working(lease_of("another")):
            pass

    assert holder_of("slice", "a-slice") is None
    with working(lease_of("a-slice")):
        pass


def test_a_killed_process_of_this_machine_is_followed_at_once() -> None:
    with process(BEGIN) as other:
        assert str(other.pid) in str(begin("a-slice"))
        other.kill()
        other.wait()

        assert holder_of("slice", "a-slice") is None
        assert isinstance(begin("a-slice"), Lease)


def test_a_lost_machine_is_followed_when_its_lease_ends() -> None:
    began = time.monotonic()
    lease_of("run x")  # nobody renews it
    on_another_machine()

    with held("slice", "run x", holder="the next") as other:
        waited = time.monotonic() - began

    assert other is None
    assert SECONDS - 0.5 < waited < 3 * SECONDS


def test_a_holder_that_goes_on_while_its_lease_is_being_taken_over_keeps_it() -> None:
    mine = lease_of("a-slice")
    on_another_machine()
    time.sleep(SECONDS + 0.1)

    with ThreadPoolExecutor() as pool, connect(fenced=False) as connection:
        connection.execute("select 1 from backfill.leases for key share")
        taken = pool.submit(begin, "a-slice")
        time.sleep(0.3)  # it waits for what the holder has begun
        with connect(fenced=False) as renewing:
            values = {"epochs": [mine.epoch], "seconds": 60}
            renewing.execute(leases._SQL["renew"], values)
        connection.commit()

        assert taken.result() == leases.here()
    with working(mine), connect() as fenced:
        fenced.execute("select 1")


def test_a_run_steps_aside_for_one_of_another_machine_once_that_renews_its_lease() -> None:
    with held("run", "x", holder="the first") as first:
        on_another_machine()
        began = time.monotonic()
        with held("run", "x", holder="the second") as second:
            waited = time.monotonic() - began

    assert (first, second) == (None, "the first")
    assert waited < SECONDS


def test_a_lease_outlives_its_length_and_every_session() -> None:
    with working(lease_of("a-slice")):
        for _ in range(3):
            time.sleep(SECONDS / 2)
            with psycopg.connect(settings().require_database_url()) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            assert holder_of("slice", "a-slice")
        with connect() as connection:
            connection.execute("select 1")


def test_a_holder_that_lost_its_lease_stops_at_its_next_transaction_and_says_so() -> None:
    with working(lease_of("a-slice")):
        with connect(fenced=False) as connection:
            connection.execute("update backfill.leases set epoch = 'of another', holder = 'B'")

        with pytest.raises(LeaseLostError, match="'slice a-slice', and B has taken it over"):
            connect()

    assert holder_of("slice", "a-slice") == "B"


def test_what_is_begun_under_a_lease_is_waited_for_before_it_is_taken_over() -> None:
    lease = lease_of("a-slice")
    with working(lease), connect() as connection:
        connection.execute("create table things (id int)")
        with connect(fenced=False) as other:
            other.execute("update backfill.leases set until = now()")
            other.execute("set local lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable), other.transaction():
                other.execute("select 1 from backfill.leases for update")


def test_a_process_frozen_in_the_middle_of_a_copy_is_put_out_and_its_rows_are_not_written() -> None:
    with connect() as connection:
        connection.execute("create table things (id int)")
    with process(COPY) as frozen:
        frozen.send_signal(signal.SIGSTOP)
        time.sleep(SECONDS / 4)  # a renewal that it has sent already may come through
        with held("slice", "a-slice", holder="the next") as other:
            assert other is None
            with connect() as connection:
                connection.execute("insert into things values (7)")
        frozen.send_signal(signal.SIGCONT)
        _, said = frozen.communicate("go on\n", timeout=30)

    with connect() as connection:
        rows = connection.execute("select id from things").fetchall()
    assert rows == [{"id": 7}]
    assert frozen.returncode != 0
    assert "terminating connection" in said
