"""The backfills: a module here is a registration, a section of the site file an instance."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tasks.adapters import site
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError
from tasks.core.site import configure


def names() -> tuple[str, ...]:
    """Return the names of all backfills, in alphabetical order."""
    return tuple(sorted(_all()))


def names_for_forms() -> tuple[str, ...]:
    """Return the names, of a site that cannot be read those that it cannot change."""
    try:
        return names()
    except SettingsError:
        return tuple(sorted(declared()))


def get(name: str) -> Backfill:
    """Return one backfill, as this site has it, by its name; raise SettingsError otherwise."""
    known = _all()
    if name not in known:
        raise SettingsError(f"There is no backfill '{name}'; there are: {', '.join(known)}.")
    return known[name]


@cache
def declared() -> dict[str, Backfill]:
    """Return every backfill that has a module here, as it is declared."""
    found = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").BACKFILL for name in found}


@cache
def _all() -> dict[str, Backfill]:
    file = site.path()
    if file is None:
        return declared()
    return configure(declared(), site.read(file), str(file), lambda name: site.lines(file, name))


def forget_site() -> None:
    """Let the site file be read anew."""
    _all.cache_clear()
