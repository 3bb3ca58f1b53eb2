"""Undo: counts first, then deletes one extractor version's rows and nothing else."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import (
    AlsoEdited,
    BackfillName,
    CancelJobs,
    DryRun,
    ExtractorVersion,
    StepSize,
)
from tasks.undo.rollback import count_holdings, refuse, roll_back, shown_only


@flow(name="rollback", flow_run_name="roll back {name}")
@says_why
async def rollback(  # noqa: PLR0913, PLR0917 - a form has these fields
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
    cancel_jobs: CancelJobs = False,  # noqa: FBT002
    step: StepSize = 5000,
    also_edited: AlsoEdited = False,  # noqa: FBT002
) -> State:
    """Take back what one extractor version of a backfill wrote.

    Only that version's rows are deleted; what it filled in in place holds again what it held
    before. Its answers are kept: runs refuse the version until
    restore/withdrawn takes the rollback back, for nothing.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means the backfill's present one.
        dry_run: Only count. Untick it to delete.
        cancel_jobs: Cancel batch jobs in flight. Without it, a rollback waits for none: it refuses.
        also_edited: Also rows that a person corrected since they were written.
        step: Targets per transaction. A rollback that was interrupted goes on when run again.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        holdings = await count_holdings(name, extractor_version, cancel_jobs=cancel_jobs)
        if dry_run:
            return shown_only(holdings)
        return own(
            await roll_back(
                name, extractor_version, step, cancel_jobs=cancel_jobs, also_edited=also_edited
            )
        )
