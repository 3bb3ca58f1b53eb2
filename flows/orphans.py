"""Orphans: rows whose source row is gone are counted first, then deleted."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import AlsoEdited, BackfillName, DryRun, ExtractorVersion, StepSize
from tasks.undo.orphans import sweep_orphans
from tasks.undo.rollback import refuse


@flow(name="rollback", flow_run_name="orphans of {name}")
@says_why
async def orphans(
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
    step: StepSize = 5000,
    also_edited: AlsoEdited = False,  # noqa: FBT002
) -> State:
    """Delete the rows that a backfill wrote for source rows that are gone.

    Rows that `where` leaves out but that still are in the source are never touched, nor are
    versions that this ledger did not write.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means every version of ours.
        dry_run: Only count, and list the first ids. Untick it to delete.
        step: Targets per transaction.
        also_edited: Also rows that a person corrected since they were written.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        return own(
            await sweep_orphans(
                name, extractor_version, step, also_edited=also_edited, dry_run=dry_run
            )
        )
