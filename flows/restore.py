"""A rollback taken back: a version's rows are written again from its kept answers, for nothing."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import AlsoEdited, BackfillName, DryRun, ExtractorVersion
from tasks.undo.reread import EDITED, beside, read_edited, show_edited
from tasks.undo.restore import restore_version
from tasks.undo.rollback import refuse


@flow(name="restore", flow_run_name="restore {name}")
@says_why
async def restore(
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
    also_edited: AlsoEdited = False,  # noqa: FBT002
) -> State:
    """Write the rows of a version again, from the answers that were paid for.

    Takes a rollback back, and mends rows that were lost. Nothing is asked.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means the backfill's present one.
        dry_run: Only count. Untick it to write.
        also_edited: Also over rows that a person corrected since they were written.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        state = await restore_version(name, extractor_version, dry_run=dry_run)
        taken = also_edited and not dry_run
        edited = await read_edited(name, extractor_version, EDITED, take=taken)
        await show_edited(name, "restore", edited)
        return own(beside(state, edited, is_taken=taken))
