"""Slices sent to a work pool: any worker on any machine may take one, and they share the ledger.

A worker that dies is noticed by the lease on its slice, which it does not renew any more.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkerStatus
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Crashed

from tasks.adapters import leases
from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.errors import BackfillError
from tasks.core.models import SliceResult
from tasks.slices.submission import STOPS
from tasks.writing.ingest import result_of

MOST_LOST = 10
"""So many workers may be lost under one slice before it is taken to be the slice's fault."""

GRACE_TO_START = 5
"""A run that a worker has picked up may need an image first: so many times the grace."""

_LOOK_AT_POOL_SECONDS = 15.0


class SliceFailedError(BackfillError):
    """A slice's run on a worker did not come to its end."""


class Workers:
    """Has slices brought to their end by the runs of a deployment, and waits for them."""

    def __init__(self) -> None:
        self._looked = 0.0
        self._pool_is_silent = False

    async def __call__(self, name: str, slice_id: str, part: str) -> SliceResult:
        """Return what became of a slice, wherever it was done; a lost worker's is begun anew."""
        for _ in range(MOST_LOST):
            async with get_client() as client:
                run = await _start(name, slice_id, part)
                async with _cancelled_together(client, run.id):
                    state = await self._follow(client, run, slice_id)
            if state.is_completed():
                return await _result(slice_id)
            if not state.is_crashed():
                raise await in_thread(_failure)(slice_id, state)
            get_run_logger().warning("%s; it goes to another worker.", state.message)
        said = f"{MOST_LOST} workers were lost with slice {slice_id}; run again to go on."
        raise SliceFailedError(said)

    async def _follow(self, client: PrefectClient, run: FlowRun, slice_id: str) -> State:
        """Return the run's last state; crash one whose process is gone."""
        absence = _Absence(settings().worker_grace_seconds)
        while True:
            state = await _state(client, run.id)
            if state and state.is_final():
                return state
            if state is None or state.is_scheduled():
                await self._look_at_pool(client, run)
            holder = await in_thread(leases.holder_of)("slice", slice_id)
            if absence.is_too_long(time.monotonic(), state, holder):
                return await _crash(client, run, slice_id)
            await asyncio.sleep(settings().worker_poll_seconds)

    async def _look_at_pool(self, client: PrefectClient, run: FlowRun) -> None:
        """Say so, once, when no worker would take the run."""
        if run.work_pool_name is None or time.monotonic() - self._looked < _LOOK_AT_POOL_SECONDS:
            return
        self._looked = time.monotonic()
        pool, silent = run.work_pool_name, self._pool_is_silent
        self._pool_is_silent = not await _has_worker(client, pool)
        if self._pool_is_silent and not silent:
            get_run_logger().warning(
                "No worker polls work pool '%s': slices wait until `prefect worker start --pool %s`"
                " runs somewhere.",
                pool,
                pool,
            )


class _Absence:
    """For how long a run that should have a process has been seen without one."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._state: StateType | None = None
        self._since = 0.0

    def is_too_long(self, now: float, state: State | None, holder: str | None) -> bool:
        """Return whether the worker is lost: each state has its own time without a process."""
        seen = state.type if state else None
        if holder or seen in (None, StateType.SCHEDULED) or seen is not self._state:
            self._state, self._since = seen, now
        grace = self._grace * (GRACE_TO_START if seen is StateType.PENDING else 1)
        return now - self._since > grace


async def _start(name: str, slice_id: str, part: str) -> FlowRun:
    """Return the run that works on the slice, or will; a new one only if none is under way."""
    number = await _next_try(slice_id, 0)
    while True:
        run = await arun_deployment(
            settings().slice_deployment,
            parameters={"name": name, "slice_id": slice_id, "part": part},
            flow_run_name=f"{name} {part}",
            timeout=0,
            idempotency_key=f"{slice_id}-{number}",
        )
        if run.state is None or not run.state.is_final():
            return run
        number = await _next_try(slice_id, number)


@asynccontextmanager
async def _cancelled_together(client: PrefectClient, run_id: UUID) -> AsyncIterator[None]:
    """Cancel the slice's run when its parent is told to stop."""
    try:
        yield
    except asyncio.CancelledError:
        await client.set_flow_run_state(run_id, Cancelling(message="The backfill was stopped."))
        raise


async def _state(client: PrefectClient, run_id: UUID) -> State | None:
    """Return the run's state; None while the server cannot be asked."""
    try:
        return (await client.read_flow_run(run_id)).state
    except ObjectNotFound:
        return Crashed(message=f"Flow run {run_id} was deleted")
    except httpx.HTTPError:
        return None


async def _has_worker(client: PrefectClient, pool: str) -> bool:
    try:
        workers = await client.read_workers_for_work_pool(pool)
    except httpx.HTTPError:
        return True  # nobody knows
    return any(worker.status is WorkerStatus.ONLINE for worker in workers)


async def _crash(client: PrefectClient, run: FlowRun, slice_id: str) -> State:
    state: State = Crashed(message=f"The worker of slice {slice_id} is gone")
    await client.set_flow_run_state(run.id, state, force=True)
    return state


@in_thread
def _next_try(slice_id: str, after: int) -> int:
    with connect() as connection:
        return slices.next_try(connection, slice_id, after)


@in_thread
def _result(slice_id: str) -> SliceResult:
    with connect() as connection:
        return result_of(slices.get(connection, slice_id))


def _failure(slice_id: str, state: State) -> BackfillError:
    """Return what the slice met, as if it had met it in this process."""
    with connect() as connection:
        the_slice = slices.get(connection, slice_id)
    if the_slice.stopped_by:
        return STOPS[the_slice.stopped_by](the_slice.error or state.message)
    return SliceFailedError(state.message or f"{state.name}, no cause given")
