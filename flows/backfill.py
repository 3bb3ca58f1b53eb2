"""The parent: preflight, plan, estimate, approval, waves of slices, retry round, QC, summary."""

from uuid import UUID

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.backfill_slice import backfill_slice
from tasks.adapters.locks import held
from tasks.approval import obtain_approval
from tasks.core.models import RunSummary
from tasks.dry_run import dry_run_report
from tasks.estimation import make_estimate
from tasks.fan_out import FanOut
from tasks.parameters import (
    ApprovalHours,
    ApproveUpTo,
    BackfillName,
    DryRun,
    Fresh,
    Limit,
    RunKind,
    SlicesAtOnce,
    SliceSize,
)
from tasks.planning import PlanOptions, make_plan
from tasks.preflight import preflight
from tasks.quality import judge_quality
from tasks.recovery import plan_retries
from tasks.summary import completed, ended_early, finish, recorded, stepped_aside


@flow(name="backfill", flow_run_name="{kind} {name}", persist_result=True)
async def backfill(  # noqa: PLR0913, PLR0917 - a run's form has these fields
    name: BackfillName = "passage_concepts",
    kind: RunKind = "full",
    limit: Limit = None,
    approve_up_to_usd: ApproveUpTo = 0.0,
    approval_hours: ApprovalHours = 72.0,
    slice_size: SliceSize = 5000,
    slices_at_once: SlicesAtOnce = 10,
    fresh: Fresh = False,  # noqa: FBT002 - a form has check boxes
    dry_run: DryRun = False,  # noqa: FBT002
) -> State[RunSummary]:
    """Fill in what a language model can say about rows that lack it.

    Run it again to go on: nothing that was paid for is asked again.

    Args:
        name: Which backfill.
        kind: A pilot asks random rows and judges them; full asks all; incremental what is new.
        limit: At most so many targets; empty means all (a pilot: 200).
        approve_up_to_usd: Spend up to this without asking; above it the run waits for a person.
        approval_hours: How long it waits for that person.
        slice_size: Rows per batch job.
        slices_at_once: Batch jobs in flight at once.
        fresh: Forget plans that were never submitted. What was paid for is never touched.
        dry_run: Say what would be done; send nothing, write nothing.
    """
    options = PlanOptions.of(kind, limit, slice_size, fresh=fresh)
    if dry_run:
        return await dry_run_report(name, options)
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me) as holder:
        if holder:
            return stepped_aside(name, holder)
        await preflight(name)
        plan = await make_plan(name, options, flow_run.get_id())
        with recorded(plan.run_id):
            return await _work(name, plan.run_id, approve_up_to_usd, approval_hours, slices_at_once)


async def _work(
    name: str, run_id: UUID, approve_up_to_usd: float, approval_hours: float, slices_at_once: int
) -> State[RunSummary]:
    estimate = await make_estimate(name, run_id)
    if refused := await obtain_approval(name, run_id, estimate, approve_up_to_usd, approval_hours):
        return refused
    fan_out = FanOut(name, run_id, slices_at_once, backfill_slice)
    while True:
        await fan_out.drain()
        if fan_out.stopped or not await plan_retries(name, run_id):
            break
    get_run_logger().info("All slices have ended.")
    fan_out.raise_failures()
    report = await judge_quality(name, run_id, estimate)
    if fan_out.stopped:
        return ended_early(run_id, fan_out.stopped)
    return completed(await finish(name, run_id, report))
