"""What a run needs goes away in the middle of it: the run goes on, or ends with a sentence."""

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from engine_hand import Engine, configure
from own_postgres import Restartable
from run_and_be_killed import run_and_die
from tenacity import stop_after_delay, wait_random_exponential

from bench.without_prefect import Plain
from deployments.local.postgres import create_database
from tasks.adapters.audit import at_service
from tasks.adapters.gemini import Gemini, gemini
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect, idle, statements
from tasks.adapters.settings import settings
from tasks.core.errors import DiskFullError

SIX = {"slice_size": 10, "slices_at_once": 3}


@pytest.fixture(scope="module")
def server(session_dir: Path) -> Iterator[Restartable]:
    one = Restartable(session_dir / "restarted")
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
    """End every session of a database a few times a second; yield which they were.

    The pauses grow: what takes a slow machine long gets through in the end.
    """
    chance, over, ended = random.Random(seed), threading.Event(), list[int]()

    def strike() -> None:
        with psycopg.connect(database_url, autocommit=True, application_name="") as connection:
            pause = 1.0
            while not over.wait(chance.uniform(0.05, 0.3) * pause):
                pause *= 1.03
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


@pytest.mark.long
@pytest.mark.parametrize(
    "moment", ["upload_started", "job_created", "download_started", "job_deleted"]
)
def test_a_run_outlasts_ten_minutes_without_the_service(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Ten minutes are six seconds here, and all of the engine's waits a hundredth likewise."""
    monkeypatch.setattr(Plain, "pace", 0.01)
    for call in ("_get", "get_job", "cancel_job", "delete_job", "delete_file", "check_model"):
        again = getattr(Gemini, call).retry
        monkeypatch.setattr(again, "stop", stop_after_delay(1.2))
        monkeypatch.setattr(again, "wait", wait_random_exponential(multiplier=0.005, max=0.2))
    configure(monkeypatch, quota_backoff_seconds=0.6, recreate_after_seconds=1)
    engine.load_samples(20)

    def go_away() -> None:
        engine.fault("drop")
        threading.Timer(6.0, engine.no_faults).start()

    engine.at_event(moment, go_away)

    assert engine.summary(slice_size=10, slices_at_once=1).startswith("20 targets: 20 written")

    engine.check()
    assert engine.jobs() == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a place with 3 MB of room."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=777", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("No disk can be mounted here: that wants root, and CAP_SYS_ADMIN.")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> None:
    with suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("moment", ["job_created", "job_succeeded"])
def test_a_full_disk_ends_a_run_at_once_and_the_next_one_goes_on(
    engine: Engine, small_disk: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    configure(monkeypatch, work_dir=small_disk, least_disk_bytes=0)
    engine.load_samples(60)
    engine.set(run_seconds=0.5)
    engine.at_event(moment, fill, small_disk)

    began = time.monotonic()
    with pytest.raises(DiskFullError, match="No space left on device"):
        engine.run(**SIX)
    assert time.monotonic() - began < 10
    assert list(small_disk.glob("*.part")) == []

    (small_disk / "filler").unlink()
    assert "60 written" in engine.summary(**SIX)
    engine.check()
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize(
    "place", ["tasks.writing.ingest.clean_up", "tasks.adapters.gemini.Gemini.delete_job"]
)
def test_what_a_kill_after_the_commit_left_goes_with_the_next_run(
    engine: Engine, place: str
) -> None:
    engine.load_samples(20)
    work = settings().work_dir

    run_and_die({"slice_size": 10, "slices_at_once": 1}, place)
    [done] = [each["slice_id"] for each in engine.slices() if each["state"] == "done"]
    (work / f"{done}.responses.jsonl.1234.part").write_text("half of it")
    with connect() as connection:
        left = at_service(connection, ended_for=timedelta(0))
    assert left.needless == 1 + ("clean_up" in place)

    assert "20 written" in engine.summary()

    assert list(work.iterdir()) == []
    assert list(gemini().list_jobs()) == list(gemini().list_files()) == []
