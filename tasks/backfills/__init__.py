"""The backfills: a module here is a registration."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tasks.core.backfill import Backfill


@cache
def names() -> tuple[str, ...]:
    """Return the names of all backfills, in alphabetical order."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


@cache
def get(name: str) -> Backfill:
    """Return one backfill by its module's name."""
    if name not in names():
        message = f"There is no backfill '{name}'; there are: {', '.join(names())}."
        raise LookupError(message)
    backfill: Backfill = import_module(f"{__name__}.{name}").BACKFILL
    return backfill
