"""The flows' own code with Prefect taken out: tasks are their functions, artifacts nothing."""

import asyncio
import re
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

from prefect.flows import Flow
from prefect.tasks import Task

from tasks.adapters.stages import Stage

ARTIFACT = re.compile("a(create|update)_[a-z]+_artifact")


class Plain:
    """A task called without Prefect: the same function, tried as often as the task says.

    Between two tries it sleeps `pace` times as long as the task says.
    """

    pace = 0.0

    def __init__(self, task: Task[Any, Any]) -> None:
        self._task, self.fn = task, task.fn

    @property
    def directly(self) -> Callable[..., object]:
        """Return what the stage does, as those call it that are in a thread already."""
        assert isinstance(self._task, Stage)
        return self._task.directly

    def with_options(self, **_: object) -> "Plain":
        """Return the same: there is no cache to refresh."""
        return self

    async def __call__(self, *given: object, **named: object) -> object:
        """Return what the task's function returns."""
        retries = int(self._task.retries or 0)
        for tried in range(retries + 1):
            try:
                return await self.fn(*given, **named)
            except Exception as error:
                if tried == retries or not _worth_another(self._task, error):
                    raise
                await asyncio.sleep(self.pace * self._delay(tried))
        raise AssertionError

    def _delay(self, tried: int) -> float:
        said: Any = self._task.retry_delay_seconds or 0.0
        return float(said[min(tried, len(said) - 1)] if isinstance(said, list) else said)


def take_out(put: Callable[[ModuleType, str, object], None] = setattr) -> None:
    """Take Prefect out of every module of flows and tasks that is loaded; `put` puts in its place.

    A flow stays a flow in its own module, for whoever begins it.
    """
    names = [name for name in sys.modules if name.startswith(("tasks", "flows"))]
    for module in [sys.modules[name] for name in names]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Task):
                put(module, name, Plain(value))
            elif isinstance(value, Flow) and value.fn.__module__ != module.__name__:
                put(module, name, value.fn)
            elif ARTIFACT.fullmatch(name):
                put(module, name, _nothing)
    for name in ("set_up", "turn"):
        put(sys.modules["tasks.adapters.rate_limits"], name, _nothing)
    put(sys.modules["tasks.planning.approval"], "is_answered", _nothing)


def _worth_another(task: Task[Any, Any], error: Exception) -> bool:
    condition = task.retry_condition_fn
    failed = SimpleNamespace(data=error)
    return condition is None or bool(condition(task, None, failed))  # type: ignore[arg-type]


async def _nothing(*_: object, **__: object) -> None:
    return None
