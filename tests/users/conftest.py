"""The engine of tests/engine, for the users' own worlds."""

import importlib.util
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[1] / "engine"
sys.path.insert(0, str(ENGINE))
_spec = importlib.util.spec_from_file_location("engine_conftest_of_users", ENGINE / "conftest.py")
assert _spec
assert _spec.loader
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

engine = _module.fresh  # a first run, canary and all
observe = _module.observe
