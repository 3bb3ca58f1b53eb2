"""Undo: take back what one extractor version wrote, and nothing else."""

from dataclasses import replace
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters.ledger import rollbacks
from tasks.adapters.ledger.rollbacks import Holdings, InFlight, Step
from tasks.adapters.pages import render
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError, RunInProgressError
from tasks.core.places import InPlace
from tasks.undo.stop import cancel
from tasks.writing.reread import Scope, look_again


def refuse(name: str, holder: str) -> None:
    """Raise: another run of the backfill is at work."""
    raise RunInProgressError(
        f"A run of {name} is at work: {holder}. Cancel it or let it end, then start this again."
    )


async def count_holdings(
    name: str, extractor_version: str | None, *, cancel_jobs: bool
) -> Holdings:
    """Return what a rollback would take back, shown as an artifact; raise when it may not."""
    holdings, jobs = await _count(name, extractor_version)
    backfill = subject(name, extractor_version)
    version, found = backfill.extractor_version, await in_thread(look_again)(backfill, Scope.EDITED)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-rollback",
        markdown=render(
            "rollback.md", name=name, version=version, holdings=holdings, jobs=jobs, found=found
        ),
        description=f"What a rollback of {version} takes back from {name}",
    )
    get_run_logger().info(_sentence(version, holdings, jobs))
    if jobs and not cancel_jobs:
        get_run_logger().warning(_blocked(name, jobs))
    return holdings


@waiting_stage("roll back {name}")
async def roll_back(
    name: str,
    extractor_version: str | None,
    step: int,
    *,
    cancel_jobs: bool,
    also_edited: bool = False,
) -> State:
    """Take a version back in transactions of `step` targets; return the state that says so."""
    backfill = subject(name, extractor_version)
    await _clear_flight(backfill, cancel_jobs=cancel_jobs)
    rollback_id = await _begin(backfill)
    taken: Step | None = None
    while taken := await _step(backfill, rollback_id, taken and taken.after, step, also_edited):
        get_run_logger().info("%d ledger entries, %d rows taken back.", taken.entries, taken.rows)
    while unknown := await _sweep(backfill, rollback_id, step, also_edited):
        get_run_logger().info("%d rows that the ledger did not know taken back as well.", unknown)
    rows, generations = await _end(backfill, rollback_id)
    message = (
        f"Rolled back {backfill.extractor_version}: {_undone(backfill, rows)} and {generations:,}"
        " ledger entries deleted. What was paid is kept; other versions were not touched."
    )
    if left := await _left(backfill):
        message += f" {left:,} targets keep their rows, {_why_left(backfill)}"
    get_run_logger().info(message)
    return Completed(name="RolledBack", message=message)


def _undone(backfill: Backfill, rows: int) -> str:
    if isinstance(backfill.target, InPlace):
        return f"{rows:,} rows hold again what they held before,"
    return f"{rows:,} rows"


def _why_left(backfill: Backfill) -> str:
    if isinstance(backfill.target, InPlace):
        return (
            "because a person corrected them (tick also_edited to put those back as well), or what"
            " they held before is not known."
        )
    return "because a person corrected them: tick also_edited to delete those as well."


def shown_only(holdings: Holdings) -> State:
    """Return the state of a dry run."""
    return Completed(
        name="DryRun",
        message=(
            f"Dry run: {holdings.records:,} rows of {holdings.table} and"
            f" {holdings.generations:,} ledger entries would be taken back. Nothing was changed."
        ),
    )


def subject(name: str, extractor_version: str | None) -> Backfill:
    """Return the backfill as it was under an extractor version; None means the present one."""
    backfill = backfills.get(name)
    if extractor_version in (None, backfill.extractor_version):
        return backfill
    return replace(backfill, extractor_version=extractor_version)


@in_thread
def _count(name: str, extractor_version: str | None) -> tuple[Holdings, list[InFlight]]:
    backfill = subject(name, extractor_version)
    with connect() as connection:
        if not rollbacks.knows(connection, backfill):
            raise PreflightError(
                f"The ledger has nothing of {name} under '{backfill.extractor_version}':"
                " name a version of its own; what others wrote is not deleted here."
            )
        return rollbacks.count(connection, backfill), rollbacks.in_flight(connection, backfill)


async def _clear_flight(backfill: Backfill, *, cancel_jobs: bool) -> None:
    """Raise while jobs are in flight, or cancel them if that is wanted."""
    jobs = await _in_flight(backfill)
    if jobs and not cancel_jobs:
        raise RunInProgressError(_blocked(backfill.name, jobs))
    for each in jobs:
        await cancel(each)
    if quicker := await _in_flight(backfill):  # than the cancelling: they are paid for
        raise RunInProgressError(_blocked(backfill.name, quicker))


@in_thread
def _in_flight(backfill: Backfill) -> list[InFlight]:
    with connect() as connection:
        return rollbacks.in_flight(connection, backfill)


@in_thread
def _begin(backfill: Backfill) -> UUID:
    with connect() as connection:
        spent = rollbacks.count(connection, backfill).spent_usd
        return rollbacks.begin(connection, backfill, spent)


@in_thread
def _step(
    backfill: Backfill,
    rollback_id: UUID,
    after: UUID | None,
    size: int,
    also_edited: bool,  # noqa: FBT001 - a form's check box
) -> Step | None:
    with connect() as connection:
        return rollbacks.step(connection, backfill, rollback_id, after, size, also_edited)


@in_thread
def _left(backfill: Backfill) -> int:
    with connect() as connection:
        return rollbacks.left_standing(connection, backfill)


@in_thread
def _sweep(backfill: Backfill, rollback_id: UUID, size: int, also_edited: bool) -> int:  # noqa: FBT001 - a form's check box
    with connect() as connection:
        return rollbacks.sweep(connection, backfill, rollback_id, size, also_edited)


@in_thread
def _end(backfill: Backfill, rollback_id: UUID) -> tuple[int, int]:
    with connect() as connection:
        return rollbacks.end(connection, backfill, rollback_id)


def _sentence(version: str, holdings: Holdings, jobs: list[InFlight]) -> str:
    return (
        f"{version}: {holdings.records:,} rows of {holdings.table}, {holdings.generations:,} ledger"
        f" entries, {holdings.done_slices:,} finished slices ({holdings.spent_usd:.4f} USD paid),"
        f" {len(jobs):,} jobs in flight."
    )


def _blocked(name: str, jobs: list[InFlight]) -> str:
    return (
        f"{len(jobs)} batch jobs of {name} are in flight and paid for: run the backfill to collect"
        " them first, or roll back with cancel_jobs; one that has ended by itself is not cancelled."
    )
