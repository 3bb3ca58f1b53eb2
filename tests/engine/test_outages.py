"""What a run needs goes away in the middle of it: the run goes on, or ends with a sentence."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from engine_hand import Engine
from own_postgres import Restartable

from deployments.local.postgres import create_database
from tasks.adapters.postgres import apply_migrations, idle, statements

SIX = {"slice_size": 10, "slices_at_once": 3}


@pytest.fixture(scope="module")
def server(session_dir: Path) -> Iterator[Restartable]:
    one = Restartable(session_dir / "interrupted")
    yield one
    one.stop()


@pytest.fixture
def database_url(server: Restartable) -> str:
    """Return the address of a database in a server that may be stopped."""
    name = f"of_{uuid4().hex[:12]}"
    with psycopg.connect(server.server.url("postgres"), autocommit=True) as connection:
        create_database(connection, name)
    with psycopg.connect(url := server.server.url(name)) as connection:
        connection.execute(statements("demo/passages.sql")["create_tables"])
    apply_migrations(url)
    idle.end()
    return url


@pytest.mark.parametrize(
    ("way", "moment"), [("fast", "job_created"), ("immediate", "job_succeeded")]
)
def test_a_run_goes_on_when_postgres_has_restarted(
    engine: Engine, server: Restartable, way: str, moment: str
) -> None:
    engine.load_samples(60)
    engine.set(run_seconds=0.5)
    engine.at_event(moment, server.restart, way)

    assert engine.summary(**SIX).startswith("60 targets: 60 written")

    engine.check()
    assert engine.jobs() == 6


@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_a_run_goes_on_while_its_sessions_are_ended_again_and_again(
    engine: Engine, database_url: str, transport: str
) -> None:
    engine.load_samples(60)
    engine.set(run_seconds=0.3)

    with sessions_ended(database_url, seed=len(transport)) as ended:
        said = engine.summary(**SIX, transport=transport)

    assert said.startswith("60 targets: 60 written")
    assert len(ended) > 5
    engine.check()


@contextmanager
def sessions_ended(database_url: str, seed: int) -> Iterator[list[int]]:
    """End every session of a database a few times a second; yield which they were."""
    chance, over, ended = random.Random(seed), threading.Event(), list[int]()

    def strike() -> None:
        with psycopg.connect(database_url, autocommit=True, application_name="") as connection:
            while not over.wait(chance.uniform(0.05, 0.3)):
                found = connection.execute(
                    "select pid from pg_stat_activity where datname = current_database()"
                    " and application_name <> '' and pg_terminate_backend(pid)"
                )
                ended.extend(row[0] for row in found)

    striking = threading.Thread(target=strike)
    striking.start()
    try:
        yield ended
    finally:
        over.set()
        striking.join()
