"""The parent: preflight, plan, estimate, approval, canary, waves, retry round, QC, summary."""

from contextlib import nullcontext

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.backfill_slice import backfill_slice
from tasks.adapters.leases import held
from tasks.adapters.stages import says_why
from tasks.core.models import RunSummary
from tasks.planning.approval import Beforehand, obtain_approval
from tasks.planning.csv_in_out import export_csv, import_csv
from tasks.planning.dry_run import dry_run_report
from tasks.planning.estimate import make_estimate
from tasks.planning.parameters import (
    ApprovalHours,
    ApproveUpTo,
    BackfillName,
    CsvIn,
    CsvOut,
    DryRun,
    Fresh,
    HowToAsk,
    Limit,
    RestoreMany,
    RunKind,
    SlicesAtOnce,
    SliceSize,
    Where,
    WithoutPilot,
)
from tasks.planning.pilot import require_pilot
from tasks.planning.plan import PlanOptions, make_plan
from tasks.planning.preflight import preflight
from tasks.reports.bad_list import list_bad
from tasks.reports.quality import judge_quality
from tasks.reports.run import ended, ended_early, finish, recorded, stepped_aside
from tasks.slices.again import plan_retries
from tasks.slices.as_asked import as_promoted
from tasks.slices.doubles import settle_doubles
from tasks.slices.older import collect_older
from tasks.slices.patience import Again, Patience
from tasks.slices.transport import choose_transport
from tasks.slices.waves import FanOut, report_wave
from tasks.slices.workers import Workers
from tasks.undo.forget import thin
from tasks.writing.restore import restore


@flow(name="backfill", flow_run_name="{kind} {name}", persist_result=True, result_serializer="json")
@says_why
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
    csv_in: CsvIn = "",
    csv_out: CsvOut = "",
    transport: HowToAsk = "auto",
    without_pilot: WithoutPilot = False,  # noqa: FBT002
    fan_out: Where = "process",
    restore_many: RestoreMany = False,  # noqa: FBT002
) -> State[RunSummary]:
    """Fill in what a language model can say about rows that lack it.

    Run it again to go on: nothing that was paid for is asked again.

    Args:
        name: Which backfill.
        kind: A pilot asks random rows and judges them; full asks all; incremental what is new, of
            the promoted version where there is one.
        limit: At most so many targets; empty means all (a pilot: 200).
        approve_up_to_usd: Spend up to this without asking; above it the run waits for a person.
        approval_hours: How long it waits for that person.
        slice_size: Rows per batch job.
        slices_at_once: Batch jobs in flight at once.
        fresh: Forget plans that were never submitted. What was paid for is never touched.
        dry_run: Say what would be done; send nothing, write nothing.
        csv_in: For a backfill over CSVs: the file whose rows are asked; empty means all that came.
        csv_out: For a backfill over CSVs: where that file's rows go with their answers, after every
            wave; without csv_in the rows of all files, merged. It may be csv_in, which is replaced.
        transport: Batch jobs at half the price, or one by one at once; auto chooses by count.
        without_pilot: Start a full run although no pilot passed; recorded with the run.
        fan_out: In this run's own process, or as runs that any worker of the work pool takes.
        restore_many: Write rows again from kept answers however many are missing; else more than
            1,000 and 5 % of them wait for a person, who may have deleted them on purpose.
    """
    options = PlanOptions.of(kind, limit, slice_size, fresh=fresh, csv_in=csv_in, csv_out=csv_out)
    beforehand = Beforehand(approve_up_to_usd, restore_many, approval_hours, slices_at_once)
    with as_promoted(name) if kind == "incremental" else nullcontext():
        if dry_run:
            return await dry_run_report(name, options, transport)
        me = f"{flow_run.get_name()} ({flow_run.get_id()})"
        with held("run", name, holder=me, alone=fresh) as holder:
            if holder:
                return stepped_aside(name, holder)
            if csv_in:
                await import_csv(name, csv_in)
            await preflight(name, csv_in, csv_out)
            overridden = await require_pilot(name, kind, without_pilot=without_pilot)
            plan = await make_plan(name, options, flow_run.get_id())
            await choose_transport(name, plan.run_id, transport)
            with recorded(name, plan.run_id, without_pilot=overridden):
                run_slice = backfill_slice if fan_out == "process" else Workers()
                slices = FanOut(name, plan.run_id, slices_at_once, run_slice)
                return await _work(slices, plan.repeats, beforehand, csv_in, csv_out)


async def _work(
    slices: FanOut, repeats: str, beforehand: Beforehand, csv_in: str, csv_out: str
) -> State[RunSummary]:
    name, run_id = slices.name, slices.run_id
    await collect_older(name)
    await restore(name, run_id)
    await plan_retries(name, run_id)
    estimate = await make_estimate(name, run_id, repeats)
    if refused := await obtain_approval(name, run_id, estimate, beforehand):
        return refused
    await restore(name, run_id)  # what waited for a person
    await slices.run_canary()
    patience = Patience(name)
    while await slices.run_wave():
        if slices.stopped:
            break
        # A wave ends when its bad answers were asked again as often as that may help.
        again = Again()
        if not await slices.may_go_on():
            again = await plan_retries(name, run_id, patience.left_alone)
            slices.stopped = await patience.wait(again)
        if not again.targets:
            await restore(name, run_id)  # the twins of what was answered
            await report_wave(name, run_id, slices.wave)
            if csv_out:
                await export_csv(name, csv_in, csv_out)
    if csv_out:
        await export_csv(name, csv_in, csv_out)
    await collect_older(name)
    late = await settle_doubles(name, run_id)
    get_run_logger().info("All slices have ended.")
    slices.raise_failures()
    report = await judge_quality(name, run_id, estimate)
    await list_bad(name, run_id)
    await thin(name)
    if slices.stopped:
        return ended_early(name, run_id, slices.stopped, late)
    return ended(await finish(name, run_id, report, late))
