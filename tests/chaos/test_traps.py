"""Prefect's own traps: results by call position, and a database that is gone."""

import psycopg
import pytest
from chaos_ground import Outcome
from chaos_world import World

from deployments.local.postgres import create_database


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
