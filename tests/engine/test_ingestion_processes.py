"""Large slices are written by processes: whatever is killed, nothing is lost and nothing stays."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import psutil
import psycopg
from engine_hand import Engine
from run_and_be_killed import begin

from tasks.adapters.processes import processes

TARGETS = 500  # in one slice: enough for a process of its own
WRITING = """
select pid from pg_stat_activity
where wait_event_type = 'Lock' and query ilike 'copy %passage_concepts%'
"""


@contextmanager
def held_up(engine: Engine) -> Iterator[None]:
    """Let nobody write rows, from when the job is there: preflight tries some."""
    deadline = time.monotonic() + 60
    while not engine.jobs():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with psycopg.connect(engine.database_url) as connection:
        connection.execute("lock table passage_concepts in exclusive mode")
        yield


def wait_until_writing(engine: Engine) -> None:
    deadline = time.monotonic() + 60
    while not engine.sql(WRITING):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_workers() -> None:
    pool = processes._pool
    assert pool is not None
    for pid in list(pool._processes):
        os.kill(pid, signal.SIGKILL)


def test_a_process_killed_while_it_writes_loses_nothing(engine: Engine) -> None:
    engine.load_samples(TARGETS)
    engine.set(run_seconds=3)
    said: list[str] = []
    run = Thread(target=lambda: said.append(engine.summary(slice_size=TARGETS)))

    run.start()
    with held_up(engine):
        wait_until_writing(engine)
        kill_workers()
    run.join()

    assert said
    engine.check()
    assert engine.ends()["written"] == TARGETS
    assert engine.jobs() == 1


def test_a_killed_flow_leaves_no_process_and_the_next_run_goes_on(engine: Engine) -> None:
    engine.load_samples(TARGETS)
    engine.set(run_seconds=3)

    run = begin({"slice_size": TARGETS})
    with held_up(engine):
        wait_until_writing(engine)
        workers = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        run.wait()
        _, left = psutil.wait_procs(workers, timeout=10)

    assert workers
    assert left == []
    engine.summary(slice_size=TARGETS)
    engine.check()
    assert engine.ends()["written"] == TARGETS
    assert engine.jobs() == 1
