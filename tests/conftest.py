"""What tests share: a real Postgres, a database each, a running emulator, a whole stack."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from deployments.local.ports import free_port
from deployments.local.postgres import SETTINGS, Postgres, create_database
from deployments.local.processes import spawn, stop, wait


@pytest.fixture(scope="session")
def session_dir() -> Iterator[Path]:
    """Yield a directory that Postgres's own account may enter, unlike pytest's."""
    place = Path(tempfile.mkdtemp(prefix="backfill-tests-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def postgres(session_dir: Path) -> Iterator[Postgres]:
    """Yield a running Postgres with nothing in it; it does not survive a power cut."""
    quick = {**SETTINGS, "fsync": "off", "full_page_writes": "off", "max_wal_size": "1GB"}
    server = Postgres(session_dir / "postgres", free_port(0), settings=quick)
    log = session_dir / "postgres.log"
    record = spawn(server, log, session_dir, dict(os.environ))
    wait(server, record, log, deadline=60)
    yield server
    if process := record.process():
        stop([process], server.stop_signal, patience=10)


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """Yield the address of a fresh, empty database; it is dropped afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        create_database(connection, name)
        yield postgres.url(name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
