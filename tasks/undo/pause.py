"""Pausing on request: a flag in the ledger, which every run of a backfill looks at."""

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters.leases import holder_of
from tasks.adapters.ledger import pauses, rollbacks
from tasks.adapters.postgres import connect
from tasks.adapters.stages import stage


@stage("pause {name}")
def put_pause(name: str) -> State:
    """Pause a backfill; return the state that says what becomes of its jobs."""
    with connect() as connection:
        backfill = backfills.get(name)
        pauses.put(connection, name)
        jobs = len(rollbacks.in_flight(connection, backfill, of_all_versions=True))
    run = holder_of("run", name)
    who = f"by {run}, which then waits" if run else "by the next run, which then waits"
    return _said(
        "Paused",
        f"{name} is paused: nothing new is submitted until stop/resume. Its {jobs:,} jobs in flight"
        f" are collected {who}.",
    )


@stage("resume {name}")
def lift_pause(name: str) -> State:
    """Let a backfill go on; return the state that says who does, or what to start."""
    with connect() as connection:
        backfills.get(name)
        was_paused = pauses.lift(connection, name)
    run = holder_of("run", name)
    begins = f"{name} may go on" if was_paused else f"{name} was not paused"
    goes_on = f"{run} does within seconds" if run else "no run is at work, so start one"
    return _said("Resumed", f"{begins}: {goes_on}.")


def _said(name: str, message: str) -> State:
    get_run_logger().info(message)
    return Completed(name=name, message=message)
