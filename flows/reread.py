"""Kept answers read again with today's code: differences first, then only these are written."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import says_why
from tasks.planning.parameters import AlsoEdited, BackfillName, DryRun, ExtractorVersion
from tasks.undo.reread import compared, reread_version, show_differences
from tasks.undo.rollback import refuse


@flow(name="reread", flow_run_name="reread {name}")
@says_why
async def reread(
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
    also_edited: AlsoEdited = False,  # noqa: FBT002
) -> State:
    """Apply today's reading and `records` to a version's kept answers, and replace what differs.

    Nothing is asked, and what stays the same is not touched.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means the backfill's present one.
        dry_run: Only show what differs. Untick it to write.
        also_edited: Also over rows that a person corrected since they were written.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        found = await reread_version(
            name, extractor_version, dry_run=dry_run, also_edited=also_edited
        )
        await show_differences(name, "reread", found)
        return compared(found, dry_run=dry_run, also_edited=also_edited)
