"""The backfills: a module here is a registration, a section of the site file an instance."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from tasks.adapters import reference, site
from tasks.core.asking import refusals
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError
from tasks.core.site import configure

_stand_ins: dict[str, Backfill] = {}


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
    if name in _stand_ins:
        return _stand_ins[name]
    known = _all()
    if name not in known:
        raise SettingsError(f"There is no backfill '{name}'; there are: {', '.join(known)}.")
    return known[name]


@cache
def declared() -> dict[str, Backfill]:
    """Return every backfill that has a module here, as it is declared."""
    found = sorted(module.name for module in iter_modules(__path__))
    backfills = {name: import_module(f"{__name__}.{name}").BACKFILL for name in found}
    for name, backfill in backfills.items():
        refuse(backfill, f"tasks/backfills/{name}.py")
    return backfills


@cache
def _all() -> dict[str, Backfill]:
    file = site.path()
    if file is None:
        return declared()
    chosen = site.read(file)
    found = configure(declared(), chosen, str(file), lambda name: site.lines(file, name))
    for name in chosen:
        refuse(found[name], f"{file}, [{name}]")
    return found


def with_lines(name: str, lines: Mapping[str, Any], place: str) -> Backfill:
    """Return a backfill as it would be with some lines more in its section of the site file."""
    file = site.path() or Path(site.NAME)
    present = site.read(file).get(name, {}) if site.path() else {}
    options = {**present.get("options", {}), **lines.get("options", {})}
    section = {**present, **lines, **({"options": options} if options else {})}
    found = configure(declared(), {name: section}, place, lambda each: site.lines(file, each))
    refuse(found[name], f"{place}, [{name}]")
    return found[name]


@contextmanager
def standing_in(backfill: Backfill) -> Iterator[None]:
    """Let another version than the site's be what this process knows by the backfill's name."""
    _stand_ins[backfill.name] = backfill
    try:
        yield
    finally:
        _stand_ins.pop(backfill.name, None)


def is_stood_in(name: str) -> bool:
    """Say whether this process knows a version by the name that no other process does."""
    return name in _stand_ins


def refuse(backfill: Backfill, place: str) -> None:
    """Raise SettingsError, naming the place, where the backfill's model would refuse the asking."""
    for said in refusals(backfill, reference.models()):
        raise SettingsError(f"{place}: {said}.")


def forget_site() -> None:
    """Let the site file be read anew."""
    _all.cache_clear()
