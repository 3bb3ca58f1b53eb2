"""Stages: the tasks of the flows, written as the plain functions that they are.

A stage asks the world or the ledger. So its work is done in a thread, where it holds up nobody, and
Prefect never answers it from its cache unless it is told to: in a flow with persisted results it
would otherwise do so whenever a call is repeated.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import wraps
from typing import Any, Generic, ParamSpec, TypedDict, TypeVar, Unpack

from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.tasks import RetryConditionCallable, Task

from tasks.adapters.outage import outlasting
from tasks.core.errors import BackfillError, DiskFullError, LeaseLostError

P = ParamSpec("P")
R = TypeVar("R")
Waiting = Callable[P, Coroutine[Any, Any, R]]


class Retries(TypedDict, total=False):
    """How often a stage is tried again, and when."""

    retries: int
    retry_delay_seconds: float | list[float]
    retry_jitter_factor: float


class StageOptions(Retries, total=False):
    """What a stage may say of itself, in Prefect's words."""

    retry_condition_fn: RetryConditionCallable
    cache_policy: CachePolicy
    cache_expiration: timedelta
    persist_result: bool


SERVICE_AWAY: Retries = {
    "retries": 7,
    "retry_delay_seconds": [5, 15, 30, 60, 120, 240, 300],
    "retry_jitter_factor": 0.3,
}
"""For what asks the service: it may be away for ten minutes, and more."""


class Stage(Task[P, Coroutine[Any, Any, R]]):
    """A task whose function does its work in a thread.

    `directly` is that function as it was written: without Prefect, in the caller's own thread.
    """

    def __init__(self, function: Callable[P, R], run_name: str, options: StageOptions) -> None:
        super().__init__(in_thread(function), task_run_name=run_name, **_uncached(options))
        self.directly = function


def in_thread(function: Callable[P, R]) -> Waiting[P, R]:
    """Return a coroutine that runs the function in a thread, where this run's logger is found.

    It is begun again where the database went away.
    """
    lasting = outlasting(function)

    @wraps(function)
    async def awaited(*given: P.args, **named: P.kwargs) -> R:
        return await asyncio.to_thread(lasting, *given, **named)

    return awaited


class Step(Generic[P, R]):
    """What a flow does in a thread without a task run: one would cost more than the work.

    `directly` is the function as it was written, in the caller's own thread.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.directly = function
        self._awaited = in_thread(function)

    async def __call__(self, *given: P.args, **named: P.kwargs) -> R:
        """Return what the function returns."""
        return await self._awaited(*given, **named)


def step(function: Callable[P, R]) -> Step[P, R]:
    """Make a function a step of a flow or a stage."""
    return Step(function)


def stage(
    run_name: str, **options: Unpack[StageOptions]
) -> Callable[[Callable[P, R]], Stage[P, R]]:
    """Make a function a stage of a flow, under the name that its runs get in the UI."""

    def made(function: Callable[P, R]) -> Stage[P, R]:
        return Stage(function, run_name, options)

    return made


def waiting_stage(
    run_name: str, **options: Unpack[StageOptions]
) -> Callable[[Waiting[P, R]], Task[P, Coroutine[Any, Any, R]]]:
    """Make a coroutine a stage: one that mostly waits, and would keep a thread from others."""

    def made(function: Waiting[P, R]) -> Task[P, Coroutine[Any, Any, R]]:
        return Task(function, task_run_name=run_name, **_uncached(options))

    return made


def says_why(function: Waiting[P, R]) -> Waiting[P, R | State]:
    """Let a flow that cannot go on end with its sentence; Prefect would put words before it."""

    @wraps(function)
    async def awaited(*given: P.args, **named: P.kwargs) -> R | State:
        try:
            return await function(*given, **named)
        except BackfillError as error:
            if flow_run.get_id() is None:  # called without Prefect
                raise
            return Failed(message=str(error), data=error)

    return awaited


def own(state: State[R]) -> State[R]:
    """Return a stage's state as its flow's own; Prefect makes "All states completed." of others."""
    return State(type=state.type, name=state.name, message=state.message, data=state.data)


def _uncached(options: StageOptions) -> StageOptions:
    may_pass = options.pop("retry_condition_fn", None)

    def worth_it(task: Task[..., Any], task_run: TaskRun, state: State) -> bool:
        """Return whether trying again can help: not where another run took over, or room is out."""
        if isinstance(state.data, (DiskFullError, LeaseLostError)):
            return False
        return may_pass is None or bool(may_pass(task, task_run, state))

    return {"cache_policy": NO_CACHE, "retry_condition_fn": worth_it, **options}
