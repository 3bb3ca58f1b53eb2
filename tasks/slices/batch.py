"""One slice on its way to Gemini: build, upload, submit once, await."""

import asyncio
import random
import time
from datetime import timedelta

from prefect import get_run_logger
from prefect.cache_policies import INPUTS
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import BaseModel

from tasks import backfills
from tasks.adapters import rows, workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import answers, checkpoint, generations, jobs, runs, slices
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models
from tasks.adapters.settings import settings
from tasks.adapters.stages import SERVICE_AWAY, in_thread, stage, step, waiting_stage
from tasks.core.another_try import temperature_of
from tasks.core.backfill import Backfill
from tasks.core.errors import (
    AmbiguousError,
    JobLostError,
    ModelApiError,
    NoEndError,
    NoRoomError,
    QuotaError,
    RejectedError,
)
from tasks.core.identity import display_name
from tasks.core.models import WITH_OUTPUT, BatchJob, Slice, SliceState, UploadedFile
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.slices import submission
from tasks.slices.as_asked import backfill_of
from tasks.slices.doubles import cancel_doubles
from tasks.slices.first_job import try_one_request
from tasks.slices.pause import unpaused
from tasks.slices.requests import lines_of

CANCELLING = timedelta(hours=1)
"""How long a job may take to end once it was told to."""

LONGEST_PAUSE = 30 * 60.0
"""Seconds between two tries of a slice that waits for quota."""

UPLOAD_LIFE = timedelta(hours=46)
"""An uploaded file lives 48 h; the last two are kept for a job that waits for quota."""


class RequestFile(BaseModel):
    """What a slice will send."""

    slice_id: str
    digest: str
    requests: int


@step
def build(slice_id: str) -> RequestFile:
    """Write the slice's request lines; end targets that cannot be asked any more as skipped."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        backfill = backfills.of_slice(connection, the_slice)
        _pass_on(connection, backfill, the_slice)
        members = generations.members(connection, slice_id)
        present, gone = rows.current(connection, backfill, members)
    temperature = temperature_of(backfill, models().find(the_slice.model), the_slice, members)
    skips = [(member.doc_id, str(why)) for member, why in gone]
    path = workspace.requests_path(slice_id)
    digest = workspace.write(path, *lines_of(backfill, the_slice, present, skips, temperature))
    # What is asked again alone is more than its share of a request was.
    is_otherwise = max(the_slice.rows_per_request, backfill.rows_per_request) > 1
    tokens = int(path.stat().st_size / BYTES_PER_TOKEN) if is_otherwise else None
    with connect() as connection:
        generations.skip(connection, skips)
        slices.record_input(connection, slice_id, digest, display_name(slice_id, digest), tokens)
    return RequestFile(slice_id=slice_id, digest=digest, requests=len(members) - len(skips))


def _pass_on(connection: Connection, backfill: Backfill, the_slice: Slice) -> None:
    """Ask for the answer at once where the vector was paid for while the row was away."""
    if the_slice.question == "embedding":
        members = generations.members(connection, the_slice.slice_id)
        if known := answers.with_vector(connection, backfill, members):
            generations.take_out(connection, the_slice, known, ("answer", backfill.model))


def _may_pass(task: object, task_run: object, state: State) -> bool:
    """Return whether trying again can help: not where the service said a clear no."""
    del task, task_run
    return not isinstance(state.data, (JobLostError, RejectedError, NoEndError))


# A run that is retried, or waits for quota, sends the same file again while the service has it.
@stage(
    "upload {file.slice_id}",
    retry_condition_fn=_may_pass,
    cache_policy=INPUTS,
    cache_expiration=UPLOAD_LIFE,
    persist_result=True,
    **SERVICE_AWAY,
)
def upload(file: RequestFile) -> UploadedFile:
    """Return the slice's request file as the service knows it."""
    path = workspace.requests_path(file.slice_id)
    if not path.exists():
        build.directly(file.slice_id)
    uploaded = gemini().upload(path, display_name(file.slice_id, file.digest))
    with connect() as connection:
        slices.record_upload(connection, file.slice_id, uploaded.name, uploaded.expires_at)
    return uploaded


# No retries: a job that was created twice is paid twice. Doubt is resolved by the ledger.
@waiting_stage("submit {slice_id}", retries=0)
async def submit(slice_id: str, file: UploadedFile) -> SliceState:
    """Create the slice's batch job once; wait for quota, or the service, while patience lasts.

    Returns `planned` where the file has to be built again.
    """
    waiting, is_told = _Patience(), False
    while True:
        await unpaused(await backfill_of(slice_id))
        try:
            state = await in_thread(submission.submit)(slice_id, file.name, _flow_run_id())
        except (AmbiguousError, QuotaError) as error:  # nothing was created: else it is reserved
            no_quota = error if type(error) is QuotaError else None
            if no_quota and await in_thread(try_one_request)(slice_id, no_quota, _submit_at_once):
                return SliceState.PLANNED
            pause = waiting.pause(error)
            is_told = is_told or await _say(slice_id, "waiting", str(error))
        else:
            if is_told:
                await _say(slice_id, "running")
            return state
        await asyncio.sleep(pause)


@in_thread
def _say(slice_id: str, status: checkpoint.Status, why: str | None = None) -> bool:
    """Say that the backfill waits, unless other jobs of the run are at work, or goes on."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        at_work = runs.progress(connection, the_slice.run_id).jobs_in_flight
        if is_said := status == "running" or not at_work:
            backfill = backfills.of_slice(connection, the_slice)
            checkpoint.say(connection, backfill, status, notes=why)
    return is_said


def _submit_at_once(slice_id: str) -> SliceState:
    file = upload.directly(build.directly(slice_id))
    return submission.submit(slice_id, file.name, _flow_run_id())


@waiting_stage("resolve {slice_id}", **SERVICE_AWAY)
async def resolve(slice_id: str) -> SliceState:
    """Find out whether a reserved slice has a job: adopt it, or free the slice for submission."""
    return await submission.settle(slice_id)


@waiting_stage("await {slice_id}", retry_condition_fn=_may_pass, **SERVICE_AWAY)
async def await_job(slice_id: str) -> BatchJob:
    """Return the slice's job once it has ended, with its output if there is one.

    Past its deadline a job is cancelled, and waited for all the same: it may end with answers.
    """
    while True:
        name, age = await _job_and_age(slice_id)
        try:
            job = await in_thread(gemini().get_job)(name)
        except JobLostError:
            if age.total_seconds() > settings().recreate_after_seconds:
                raise
        else:
            if job.is_ready:
                await in_thread(cancel_doubles)(job)
                return job
            await _cancel_if_overdue(job, age)
        await asyncio.sleep(settings().poll_seconds * random.uniform(0.8, 1.2))  # noqa: S311


class _Patience:
    """The waiting of one slice: longer each time, and not for ever."""

    def __init__(self) -> None:
        self._until = time.monotonic() + settings().quota_patience_seconds
        self._wait = settings().quota_backoff_seconds
        self._waits_for_room = False

    def pause(self, error: ModelApiError) -> float:
        """Return how many seconds to wait before the next try; raise the error past patience."""
        here = settings()
        if isinstance(error, NoRoomError):
            if error.ours:  # it will end, at its deadline if not before, and make room
                self._until = time.monotonic() + here.quota_patience_seconds
            if not self._waits_for_room:
                get_run_logger().info("%s", error)
            self._waits_for_room = True
            return self._within_patience(min(here.poll_seconds, here.quota_backoff_seconds), error)
        pause = self._within_patience(self._wait, error)
        get_run_logger().warning("%s Trying again in %.0f s.", error, pause)
        self._wait = min(self._wait * 2, LONGEST_PAUSE)
        return pause

    def _within_patience(self, seconds: float, error: ModelApiError) -> float:
        pause = seconds * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        if time.monotonic() + pause > self._until:
            raise error
        return pause


def _flow_run_id() -> str | None:
    return str(flow_run.get_id()) if flow_run.get_id() else None


@in_thread
def _job_and_age(slice_id: str) -> tuple[str, timedelta]:
    """Return the slice's job, and for how long it has been one, by the database's clock."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
        age = jobs.age_of_job(connection, slice_id)
    if the_slice.job_name is None or age is None:
        message = f"Slice {slice_id} is {the_slice.state}: it has no job to wait for."
        raise LookupError(message)
    return the_slice.job_name, age


@in_thread
def _cancel_if_overdue(job: BatchJob, age: timedelta) -> None:
    over = age - timedelta(seconds=settings().job_deadline_seconds)
    if over < timedelta():
        return
    if job.state in WITH_OUTPUT:
        message = (
            f"{job.name} says {job.state}, but its output has not appeared. It is paid for, so it"
            " is not asked again: run later, when the output is there."
        )
        raise NoEndError(message)
    if over > CANCELLING:
        message = (
            f"{job.name} says {job.state} long after it should have expired, and does not let"
            " itself be cancelled. It may still be paid for, so it is not asked again: look at it"
            " with the service, and run again when it has ended."
        )
        raise NoEndError(message)
    gemini().cancel_job(job.name)
