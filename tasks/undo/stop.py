"""Stopping on request: a backfill's runs, and its jobs at the service."""

import asyncio

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelling, Completed, Failed
from pydantic import BaseModel

from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import checkpoint, rollbacks, slices
from tasks.adapters.ledger.rollbacks import InFlight
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.core.errors import JobLostError
from tasks.core.models import SliceState
from tasks.core.status import stopped as it_was_stopped
from tasks.slices import submission
from tasks.slices.again import take_back

SECONDS_TO_STOP = 120.0
"""How long a cancelled run may take to let go of its backfill: it ends what it is writing."""
SECONDS_TO_CANCEL = 600.0
"""How long a cancelled job may take to say so; the next run asks it again."""

CAUSE = "cancelled on request"
AT_WORK = [StateType.RUNNING, StateType.PENDING, StateType.PAUSED]


class JobsInFlight(BaseModel):
    """What became of the jobs in flight: cancelled and planned again, or left to the next run."""

    cancelled: int = 0
    left: int = 0


@waiting_stage("cancel runs of {name}")
async def cancel_runs(name: str) -> int:
    """Cancel the backfill's runs that are at work or wait for a person; return how many."""
    states = FlowRunFilter.model_validate({"state": {"type": {"any_": AT_WORK}}})
    flows = FlowFilter.model_validate({"name": {"any_": ["backfill"]}})
    async with get_client() as client:
        found = await client.read_flow_runs(flow_filter=flows, flow_run_filter=states)
        mine = [each for each in found if _is_of(each, name)]
        for each in mine:
            await client.set_flow_run_state(each.id, Cancelling())
            get_run_logger().info("Told '%s' (%s) to stop.", each.name, each.id)
    return len(mine)


@waiting_stage("jobs in flight of {name}")
async def cancel_in_flight(name: str, *, really: bool) -> JobsInFlight:
    """Cancel the backfill's jobs, of every version, or count them; return what became of them."""
    found = await _in_flight(name)
    if not really:
        return JobsInFlight(left=len(found))
    cancelled = await asyncio.gather(*map(cancel, found))
    left = await _in_flight(name)
    return JobsInFlight(cancelled=sum(cancelled), left=len(left))


def still_at_work(name: str, holder: str) -> State:
    """Return the failed state that names who does not let go."""
    message = f"{name} is still at work: {holder}. Stop it where it runs, then stop again."
    return Failed(message=message)


@in_thread
def stopped(name: str, told: int, jobs: JobsInFlight) -> State:
    """Return the completed state that says what was stopped, and what the next run finds.

    A run that waited for a person, or was killed, has no process that could say so itself.
    """
    with connect() as connection:
        backfill = backfills.get(name)
        checkpoint.say_stopped(connection, backfill, it_was_stopped(jobs.left))
    message = (
        f"{name}: {told} runs stopped, {jobs.cancelled} jobs cancelled (their targets are planned"
        f" again), {jobs.left} jobs left running for the next run to collect. Run the backfill"
        " again to go on."
    )
    get_run_logger().info(message)
    return Completed(name="Stopped", message=message)


def _is_of(each: FlowRun, name: str) -> bool:
    return bool(each.parameters.get("name", "passage_concepts") == name)


@in_thread
def _in_flight(name: str) -> list[InFlight]:
    with connect() as connection:
        return rollbacks.in_flight(connection, backfills.get(name), of_all_versions=True)


async def cancel(each: InFlight) -> bool:
    """Return whether the slice's job ended without answers; its targets are planned again then.

    A job that was quicker is left to the next run, which collects what is paid for.
    """
    if await submission.settle(each.slice_id) is not SliceState.SUBMITTED:
        return False
    job_name = await _job_of(each.slice_id)
    if job_name is None or not await _ends_without_answers(job_name):
        return False
    await in_thread(take_back)(each.slice_id, CAUSE)
    return True


@in_thread
def _job_of(slice_id: str) -> str | None:
    with connect() as connection:
        return slices.get(connection, slice_id).job_name


async def _ends_without_answers(job_name: str) -> bool:
    try:
        await in_thread(gemini().cancel_job)(job_name)
        async with asyncio.timeout(SECONDS_TO_CANCEL):
            while True:
                job = await in_thread(gemini().get_job)(job_name)
                if job.is_ready:
                    return job.is_without_output
                await asyncio.sleep(min(settings().poll_seconds, 5.0))
    except TimeoutError:
        return False
    except JobLostError as error:
        get_run_logger().warning("%s is left as it is: %s", job_name, error)
    return False
