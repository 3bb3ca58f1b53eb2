"""A version's kept answers read again with today's code, and the page that shows what differs."""

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.adapters.ledger import rollbacks, versions
from tasks.adapters.pages import render
from tasks.adapters.postgres import connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.differences import Findings, Kind
from tasks.core.errors import PreflightError
from tasks.undo.rollback import subject
from tasks.writing.reread import Scope, look_again, read_again

EDITED, SKIPPED = Scope.EDITED, Scope.SKIPPED


@stage("reread version of {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def reread_version(
    name: str, extractor_version: str | None, *, dry_run: bool, also_edited: bool
) -> Findings:
    """Return what today's reading makes of a version's kept answers; written unless a dry run."""
    backfill = subject(name, extractor_version)
    _refuse_what_is_taken_back(backfill)
    if dry_run:
        return look_again(backfill, Scope.ALL)
    return read_again(backfill, Scope.ALL, also_edited=also_edited)


@stage("edited rows of {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def read_edited(name: str, extractor_version: str | None, scope: Scope, *, take: bool) -> Findings:
    """Return what kept answers say for targets whose rows a person corrected; written if taken."""
    backfill = subject(name, extractor_version)
    return read_again(backfill, scope, also_edited=True) if take else look_again(backfill, scope)


async def show_edited(name: str, what: str, found: Findings) -> None:
    """Put corrected rows on the run's page, if there are any."""
    if found.edited:
        await show_differences(name, what, found)


# Not a stage: see tasks/reports/quality.py.
async def show_differences(name: str, what: str, found: Findings) -> None:
    """Put what differs on the run's page."""
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-{what}",
        markdown=render("reread.md", name=name, found=found),
        description=f"Kept answers of {name} beside the rows that stand",
    )


def compared(found: Findings, *, dry_run: bool, also_edited: bool) -> State:
    """Return the completed state that says what was, or would be, replaced."""
    listed = ", ".join(f"{count:,} {kind}" for kind, count in found.counted)
    message = f"{found.kinds.total():,} kept answers read again, 0 USD: {listed or 'none'}."
    if edited := edited_said(found, is_taken=also_edited and not dry_run):
        message += f" {edited}"
    get_run_logger().info(message)
    if dry_run:
        return Completed(name="DryRun", message=f"Dry run: {message} Nothing was changed.")
    return Completed(name="Reread", message=message)


def edited_said(found: Findings, *, is_taken: bool) -> str:
    """Return what became of rows that a person had corrected; nothing where there were none."""
    if not (count := found.kinds[Kind.EDITED]):
        return ""
    if is_taken:
        return f"Kept answers were written over the corrected rows of {count:,} targets."
    return (
        f"{count:,} targets keep their rows, because a person corrected them: tick also_edited to"
        " write the kept answers over them."
    )


def beside(state: State, found: Findings, *, is_taken: bool) -> State:
    """Return a completed state that says what became of corrected rows besides."""
    said = edited_said(found, is_taken=is_taken)
    return Completed(name=state.name, message=f"{state.message} {said}") if said else state


def _refuse_what_is_taken_back(backfill: Backfill) -> None:
    with connect() as connection:
        if rollbacks.is_unfinished(connection, backfill) or versions.is_withdrawn(
            connection, backfill
        ):
            raise PreflightError(
                f"{backfill.extractor_version} of {backfill.name} was rolled back: run"
                " restore/withdrawn, which reads its kept answers with today's code."
            )
