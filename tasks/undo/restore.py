"""Restoring a version: its rows from kept answers, also after it was rolled back."""

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.adapters.ledger import answers, checkpoint, rollbacks, slices
from tasks.adapters.ledger.slices import Remaining
from tasks.adapters.postgres import connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.undo.rollback import subject
from tasks.writing.restore import restore_kept


@stage("restore version of {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def restore_version(name: str, extractor_version: str | None, *, dry_run: bool) -> State:
    """Write the rows that a version's kept answers say and its table lacks."""
    backfill = subject(name, extractor_version)
    version = backfill.extractor_version
    found = _plan(backfill, dry_run=dry_run)
    rest = f"{found.askable + found.twins:,} targets of it were never asked."
    if dry_run:
        message = (
            f"Dry run: {found.restorable:,} targets of {version} would be restored from kept"
            f" answers, 0 USD; {rest} Nothing was changed."
        )
        return Completed(name="DryRun", message=message)
    restored = restore_kept(backfill)
    message = f"{restored:,} targets of {version} restored from kept answers, 0 USD; {rest}"
    with connect() as connection:
        status: checkpoint.Status = "stopped" if found.askable + found.twins else "completed"
        checkpoint.say(connection, backfill, status, notes=message)
    get_run_logger().info(message)
    return Completed(name="Restored", message=message)


def _plan(backfill: Backfill, *, dry_run: bool) -> Remaining:
    """Return what there is to restore; unless it is a dry run, the version counts again."""
    with connect() as connection:
        found = slices.find_remaining(connection, backfill)
        if dry_run:
            connection.rollback()
            return found
        rollbacks.take_back(connection, backfill)
        answers.forget_restores(connection, backfill)
        slices.plan_restores(connection, backfill)
    return found
