"""Stop a backfill: its run, and if the operator wants it, its jobs; or pause and resume it."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import BackfillName, CancelJobs
from tasks.undo.pause import lift_pause, put_pause
from tasks.undo.stop import SECONDS_TO_STOP, cancel_in_flight, cancel_runs, still_at_work, stopped


@flow(name="stop", flow_run_name="stop {name}")
@says_why
async def stop(
    name: BackfillName = "passage_concepts",
    cancel_jobs: CancelJobs = False,  # noqa: FBT002 - a form has check boxes
) -> State:
    """Stop a backfill's run; nothing new is submitted, and what was answered stays.

    Jobs in flight are paid for as far as they got, so they are left running and the next run
    collects them; or they are cancelled, and the next run asks their targets again.

    Args:
        name: Which backfill.
        cancel_jobs: Cancel the batch jobs in flight as well.
    """
    runs = await cancel_runs(name)
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, patience=SECONDS_TO_STOP, alone=True) as holder:
        if holder:
            return still_at_work(name, holder)
        jobs = await cancel_in_flight(name, really=cancel_jobs)
        return await stopped(name, runs, jobs)


@flow(name="stop", flow_run_name="pause {name}")
@says_why
async def pause(name: BackfillName = "passage_concepts") -> State:
    """Pause a backfill: nothing new is submitted until stop/resume, by whichever run.

    A run at work collects its jobs in flight, then waits, and goes on by itself.

    Args:
        name: Which backfill.
    """
    return own(await put_pause(name))


@flow(name="stop", flow_run_name="resume {name}")
@says_why
async def resume(name: BackfillName = "passage_concepts") -> State:
    """Let a paused backfill go on; a run that waits notices within seconds.

    Args:
        name: Which backfill.
    """
    return own(await lift_pause(name))
