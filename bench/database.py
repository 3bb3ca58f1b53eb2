"""A Postgres of its own for a bench, with the durability that users have."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg

from deployments.local.ports import free_port
from deployments.local.postgres import Postgres, create_database
from deployments.local.processes import spawn, stop, wait


@contextmanager
def temporary_database(tables: LiteralString) -> Iterator[str]:
    """Yield the address of a database with these tables; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o711)
        server = Postgres(place / "postgres", free_port(0))
        record = spawn(server, place / "log", place, dict(os.environ))
        try:
            wait(server, record, place / "log", deadline=60)
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                create_database(connection, "bench")
            with psycopg.connect(server.url("bench")) as connection:
                connection.execute(tables)
            yield server.url("bench")
        finally:
            if process := record.process():
                stop([process], server.stop_signal, server.patience)


def cpu_seconds(connection: psycopg.Connection[Any]) -> float:
    """Return what the server's process of a connection has used so far, on this machine."""
    used = psutil.Process(connection.info.backend_pid).cpu_times()
    return float(used.user + used.system)
