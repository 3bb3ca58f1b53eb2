"""Which version readers get: views, exports and CSVs, until another one is promoted."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import (
    AcceptGaps,
    BackfillName,
    DryRun,
    ExtractorVersion,
    Reason,
    Who,
)
from tasks.undo.promote import look, show, shown_only
from tasks.undo.promote import promote as promote_version
from tasks.undo.rollback import refuse


@flow(name="promote", flow_run_name="promote a version of {name}")
@says_why
async def promote(  # noqa: PLR0913, PLR0917 - a form has these fields
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    by: Who = "",
    reason: Reason = "",
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
    accept_gaps: AcceptGaps = False,  # noqa: FBT002
) -> State:
    """Make a version the one that views, exports and CSVs show, at once; no row is copied.

    In place its kept answers are written again, in slices. Other versions stay as they are:
    promoting one of them is the way back.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means the backfill's present one.
        by: Who promotes it.
        reason: Why.
        dry_run: Only show what it covers. Untick it to promote.
        accept_gaps: Also where less than 99 % of the targets have an answer of it.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        standing = await look(name, extractor_version)
        await show(standing)
        if dry_run:
            return shown_only(standing)
        return own(await promote_version(standing, by, reason, accept_gaps=accept_gaps))
