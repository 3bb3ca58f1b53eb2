"""Ask again later what ended as bad, for chosen reasons."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import says_why
from tasks.planning.parameters import AlsoEdited, BackfillName, DryRun
from tasks.reports.run import stepped_aside
from tasks.undo.redrive import (
    LostJobs,
    Reasons,
    plan_again,
    redriven,
    release_lost_jobs,
    wants_edited,
)
from tasks.undo.reread import SKIPPED, beside, read_edited, show_edited


@flow(name="redrive", flow_run_name="redrive {name}")
@says_why
async def redrive(
    name: BackfillName = "passage_concepts",
    reasons: Reasons = (),
    lost_jobs: LostJobs = False,  # noqa: FBT002 - a form has check boxes
    dry_run: DryRun = True,  # noqa: FBT002
    also_edited: AlsoEdited = False,  # noqa: FBT002
) -> State:
    """Plan bad generations again; the next run of the backfill asks, and pays for, them.

    Args:
        name: Which backfill.
        reasons: For which reasons; empty means all but thinned, which was answered once.
        lost_jobs: Also plan again what batch jobs hold that this API key cannot see. If they still
            run somewhere, their targets are paid twice.
        dry_run: Only count. Untick it to plan.
        also_edited: Write answers that were left for the rows that a person had corrected over
            these, at once and for nothing. Their reason is `edited`.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            return stepped_aside(name, holder)
        lost = await release_lost_jobs(name, dry_run=dry_run) if lost_jobs else 0
        counts = await plan_again(name, reasons, dry_run=dry_run)
        state = redriven(counts, lost, dry_run=dry_run)
        if not wants_edited(reasons):
            return state
        taken = also_edited and not dry_run
        edited = await read_edited(name, None, SKIPPED, take=taken)
        await show_edited(name, "redrive", edited)
        return beside(state, edited, is_taken=taken)
