"""The flows' own code with Prefect taken out: tasks are their functions, artifacts nothing."""

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
    """A task called without Prefect: the same function, tried as often as the task says."""

    def __init__(self, task: Task[Any, Any]) -> None:
        self._task = task

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
        for left in reversed(range(1 + int(self._task.retries or 0))):
            try:
                return await self._task.fn(*given, **named)
            except Exception as error:
                if left == 0 or not _worth_another(self._task, error):
                    raise
        raise AssertionError


def take_out() -> None:
    """Take Prefect out of every module of flows and tasks that is loaded."""
    import flows.backfill

    top = flows.backfill.backfill
    names = [name for name in sys.modules if name.startswith(("tasks", "flows"))]
    for module in [sys.modules[name] for name in names]:
        _take_out_of(module, top)
    sys.modules["tasks.adapters.rate_limits"].__dict__.update(set_up=_nothing, turn=_nothing)


def _take_out_of(module: ModuleType, top: object) -> None:
    for name, value in list(vars(module).items()):
        if isinstance(value, Task):
            setattr(module, name, Plain(value))
        elif isinstance(value, Flow) and value is not top:
            setattr(module, name, value.fn)
        elif ARTIFACT.fullmatch(name):
            setattr(module, name, _nothing)


def _worth_another(task: Task[Any, Any], error: Exception) -> bool:
    condition = task.retry_condition_fn
    failed = SimpleNamespace(data=error)
    return condition is None or bool(condition(task, None, failed))  # type: ignore[arg-type]


async def _nothing(*_: object, **__: object) -> None:
    return None
