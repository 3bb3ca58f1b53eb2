"""PgBouncer in transaction mode, which gives every transaction another session, carries a run."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from engine_hand import Engine
from run_and_be_killed import run_and_kill

from deployments.local.ports import free_port
from deployments.local.privileges import unprivileged

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SETTINGS = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""
BEGUN = "select 1 from backfill.slices where state in ('reserved', 'submitted')"


@pytest.fixture
def database_url(database_url: str, session_dir: Path) -> Iterator[str]:
    """Yield the address of the test's database behind a PgBouncer."""
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer).")
    behind, port = psycopg.conninfo.conninfo_to_dict(database_url), free_port(0)
    file = session_dir / "pgbouncer.ini"
    file.write_text(SETTINGS.format(**behind, own_port=port))
    account = unprivileged()
    process = subprocess.Popen(
        [PROGRAM, "--quiet", str(file)],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    _listens(process, port)
    yield f"postgresql://anybody@127.0.0.1:{port}/{behind['dbname']}"
    process.terminate()
    process.wait(10)


def _listens(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError


def test_a_killed_run_and_the_next_one_go_through_pgbouncer(engine: Engine) -> None:
    engine.load_samples(60)
    options = {"slice_size": 10, "slices_at_once": 6}
    engine.set(run_seconds=1.0)

    run_and_kill(engine, options, BEGUN)
    engine.set(run_seconds=0.2)
    said = engine.summary(**options)

    assert "60 written" in said
    engine.check()
    [modes] = engine.sql("select count(distinct pid) as sessions from pg_stat_activity")
    assert modes["sessions"] > 1
