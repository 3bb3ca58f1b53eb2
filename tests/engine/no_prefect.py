"""The flows' own code without a Prefect server."""

import re
import sys

import pytest
from engine_hand import Plain
from prefect.tasks import Task

import flows.backfill
import flows.backfill_slice
import tasks.adapters.rate_limits
import tasks.planning.approval

ARTIFACT = re.compile("a(create|update)_[a-z]+_artifact")


def without_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the flows call their tasks' functions, and show nothing in a UI that is not there."""
    monkeypatch.setattr(tasks.adapters.rate_limits, "set_up", _shown)
    monkeypatch.setattr(tasks.adapters.rate_limits, "turn", _shown)
    monkeypatch.setattr(tasks.planning.approval, "is_answered", _shown)
    for module in (flows.backfill, flows.backfill_slice):
        for name, value in list(vars(module).items()):
            if isinstance(value, Task):
                monkeypatch.setattr(module, name, Plain(value))
    monkeypatch.setattr(flows.backfill, "backfill_slice", flows.backfill_slice.backfill_slice.fn)
    for module in [each for name, each in sys.modules.items() if name.startswith("tasks.")]:
        for name in [each for each in vars(module) if ARTIFACT.fullmatch(each)]:
            monkeypatch.setattr(module, name, _shown)


async def _shown(*_: object, **__: object) -> None:
    return None
