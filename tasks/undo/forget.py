"""Forgetting: what a person asks to be forgotten, row by row, and answers that are too old."""

from dataclasses import dataclass

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import ArtifactSort
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import traces, workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import checkpoint, forgetting
from tasks.adapters.ledger.forgetting import Found
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread, stage, waiting_stage
from tasks.core.backfill import Backfill
from tasks.core.errors import BackfillError, PreflightError, RunInProgressError
from tasks.core.traces import as_shown, is_named
from tasks.planning.parameters import listed

TARGETS_AT_ONCE = 500
PAGES_AT_ONCE = 200
EXPORTS_NAMED = 5
_WRITING = ("reread", "restore", "redrive", "rollback")
PAGES = ("bad", "sample", "review", "dry-run", "try", "explain", "compare", *_WRITING)
"""The kinds of pages that list single targets."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What speaks of targets outside the database."""

    files: int
    pages: int
    left: tuple[str, ...]


@waiting_stage("forget rows of {name}")
async def forget_rows(name: str, ids: str, flow_run_id: str | None, *, dry_run: bool) -> State:
    """Return a state that says what was, or would be, forgotten of some targets.

    Interrupted, it goes on when run again: what is gone is gone, and the rest is found.
    """
    backfill, targets = backfills.get(name), _ids(ids)
    named = await in_thread(_names)(backfill, targets)
    found = await in_thread(_forget)(backfill, targets, flow_run_id, dry_run=dry_run)
    shown = as_shown([*targets, *named])
    pages = await _clean_pages(name, shown, dry_run=dry_run)
    files = traces.clean_reports(name, targets, really=not dry_run)
    if not dry_run:
        files += await in_thread(_discard_leftovers)(backfill)
    left = tuple(str(path) for path in traces.exports())
    said = _sentence(name, len(targets), found, Traces(files, pages, left), dry_run=dry_run)
    get_run_logger().info(said)
    return Completed(name="DryRun" if dry_run else "Forgotten", message=said)


@stage("thin answers of {name}")
def thin(name: str) -> int:
    """Delete kept answers older than the installation wants to have; return how many."""
    days = settings().keep_answers_days
    thinned = forgetting.thin(backfills.get(name), days) if days else 0
    if thinned:
        get_run_logger().info("%d answers older than %d days are kept no more.", thinned, days)
    return thinned


def _ids(text: str) -> list[str]:
    if not (found := listed(text)):
        raise PreflightError("No ids were given: write one per line, or commas between them.")
    return found


def _names(backfill: Backfill, targets: list[str]) -> set[str]:
    with connect() as connection:
        return forgetting.labels(connection, backfill, targets)


def _forget(
    backfill: Backfill, targets: list[str], flow_run_id: str | None, *, dry_run: bool
) -> Found:
    with connect() as connection:
        if waiting := forgetting.on_their_way(connection, backfill, targets):
            raise RunInProgressError(
                f"{waiting:,} of these targets are in batch jobs that may still answer: run the"
                f" backfill to collect them, or stop/now with cancel_jobs, then forget."
            )
    found = Found()
    for start in range(0, len(targets), TARGETS_AT_ONCE):
        part = targets[start : start + TARGETS_AT_ONCE]
        with connect() as connection:
            forgetting.record(connection, backfill, targets, flow_run_id)
            found = found.plus(forgetting.forget(connection, backfill, part))
            if dry_run:
                connection.rollback()
            elif found.generations:
                checkpoint.say(connection, backfill, None)
    if not dry_run:
        forgetting.scrub(backfill)
    return found


def _discard_leftovers(backfill: Backfill) -> int:
    """Delete request and response files that nobody waits for, here and at the service."""
    with connect() as connection:
        here = forgetting.not_in_flight(connection, backfill, traces.slices_with_files())
        there = forgetting.left_at_service(connection, backfill)
    for slice_id in here:
        workspace.discard(slice_id)
    try:
        for each in there:
            if each["job_name"]:
                gemini().delete_job(each["job_name"])
            gemini().delete_file(each["input_file"])
    except BackfillError as error:
        get_run_logger().warning("Files may be left at the service, for 48 h at most: %s", error)
    return len(here)


async def _clean_pages(name: str, shown: set[str], *, dry_run: bool) -> int:
    """Delete the pages of the Prefect UI that speak of targets; return how many these are."""
    keys = [f"{name.replace('_', '-')}-{kind}" for kind in PAGES]
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=keys))
    about, seen = [], 0
    async with get_client() as client:
        while pages := await client.read_artifacts(
            artifact_filter=wanted, limit=PAGES_AT_ONCE, offset=seen, sort=ArtifactSort.ID_DESC
        ):
            seen += len(pages)
            about += [page.id for page in pages if is_named(str(page.data or ""), shown)]
        for page_id in [] if dry_run else about:
            await client.delete_artifact(page_id)
    return len(about)


def _sentence(name: str, targets: int, found: Found, elsewhere: Traces, *, dry_run: bool) -> str:
    said = (
        f"{'Would be forgotten' if dry_run else 'Forgotten'}: {targets:,} targets of {name}:"
        f" {found.rows:,} rows, {found.answers:,} kept answers, {found.generations:,} ledger"
        f" entries, {elsewhere.files:,} files, {elsewhere.pages:,} pages of the Prefect UI."
    )
    if found.shared:
        said += f" {found.shared:,} answers stay, because other rows say the same."
    if left := elsewhere.left:
        listed = ", ".join(left[:EXPORTS_NAMED]) + (", …" if len(left) > EXPORTS_NAMED else "")
        said += f" Exports may hold them, look and export again: {listed}."
    if dry_run:
        return f"{said} Nothing was changed."
    return f"{said} Runs leave them alone from now on; to delete their source rows is yours to do."
