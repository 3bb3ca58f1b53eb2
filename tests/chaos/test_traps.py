"""Prefect's own traps: results by call position, a database that is gone; and no secret in it."""

import json
from base64 import b64encode
from pathlib import Path

import psycopg
import pytest
from chaos_ground import Outcome
from chaos_world import World

from deployments.local.addresses import EMULATOR_KEY
from deployments.local.postgres import create_database
from deployments.local.processes import marked


@pytest.mark.long
@pytest.mark.timeout(250)
def test_a_retried_parent_never_takes_one_slice_for_another_after_a_new_plan(
    world: World, undisturbed: Outcome
) -> None:
    world.reset()
    first = world.start(slices_at_once=1)
    world.happened("job_deleted")  # a first slice is done, under the first call position
    world.kill("flow", 0)
    world.ended(first)
    second = world.start(slices_at_once=1, slice_size=30, fresh=True)
    world.happened("job_deleted", times=2)
    world.kill("flow", 0)
    world.ended(second)

    world.retry(first)
    state = world.ended(first)
    rest = world.ended(world.start())

    outcome = world.outcome()
    assert state["name"] == "Completed", state
    assert rest["name"] == "Completed", rest
    assert outcome.billed == undisturbed.billed
    assert outcome.rows == undisturbed.rows
    assert world.broken_sums() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_ledger_alone_is_enough_when_the_prefect_database_is_lost(
    world: World, undisturbed: Outcome
) -> None:
    world.reset()
    world.set(run_seconds=3.0)
    world.start(slices_at_once=2)
    world.happened("poll")
    world.kill("flow", 0)
    world.stack.kill("worker")
    world.stack.kill("prefect")

    with psycopg.connect(world.stack.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database prefect with (force)")
        create_database(connection, "prefect")
    world.stack.start("prefect")
    world.stack.start("worker")
    world.stack.deploy()
    state = world.ended(world.start())

    outcome = world.outcome()
    assert state["name"] == "Completed", state
    assert outcome.billed == undisturbed.billed
    assert outcome.rows == undisturbed.rows


@pytest.mark.timeout(200)
def test_no_secret_is_in_anything_that_a_run_leaves_behind(
    world: World, undisturbed: Outcome
) -> None:
    stack = world.stack
    admitted = b64encode(stack.server.secret.encode()).decode()
    passwords = (stack.postgres.password, stack.server.secret.removeprefix("admin:"))
    secrets = (EMULATOR_KEY, *passwords, admitted)
    home = stack.home

    files = [
        path
        for name in ("logs", "results", "reports", "work", "prefect")
        for path in (home / name).rglob("*")
        if path.is_file() and path.name != "password"
    ]
    found = [str(path) for path in files if _holds(path.read_bytes(), secrets)]
    for process in marked(home):
        line = " ".join(process.cmdline())
        found += [line for secret in secrets if secret in line]
    for database in ("app", "prefect"):
        found += _tables_with(world.stack.postgres.url(database), secrets)

    results = [path for path in files if path.is_relative_to(home / "results")]
    open_to_others = [path for path in files if path.stat().st_mode & 0o077]
    assert results
    for kept in map(Path.read_bytes, results):
        # A task's says how it is written, a flow's is what came back.
        assert b'"type":"json"' in kept or "__class__" in json.loads(kept), kept[:200]
    assert open_to_others == []
    assert len(files) > 5
    assert undisturbed.rows
    assert found == []


def _holds(content: bytes, secrets: tuple[str, ...]) -> bool:
    return any(secret.encode() in content for secret in secrets)


def _tables_with(url: str, secrets: tuple[str, ...]) -> list[str]:
    """Return the tables of a database in which a secret stands."""
    found = []
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert names
        for (name,) in names:
            for secret in secrets:
                query = f"select count(*) from {name} as t where t::text like %s"
                row = connection.execute(query.encode(), (f"%{secret}%",)).fetchone()
                found += [name] if row and row[0] else []
    return found
