"""The engine of tests/engine for the operator's tests too: same database, same emulator."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.local.stack import Stack

ENGINE = Path(__file__).parents[1] / "engine"
sys.path.insert(0, str(ENGINE))
_spec = importlib.util.spec_from_file_location("engine_conftest", ENGINE / "conftest.py")
assert _spec
assert _spec.loader
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

from deployed import Deployed, deployed  # noqa: E402 - beside this file; needs the path above

engine = _module.fresh  # a first run, canary and all


@pytest.fixture
def on_stack(stack: Stack) -> Iterator[Deployed]:
    """Yield the deployments of a running stack over a fresh database."""
    with deployed(stack) as one:
        yield one
