"""The backfills: a module here is a registration, a section of the site file an instance."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from tasks.adapters import reference, site
from tasks.adapters.ledger import versions
from tasks.adapters.postgres import Connection
from tasks.core.asking import refusals
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError
from tasks.core.models import Slice
from tasks.core.site import configure

_asked: ContextVar[Backfill | None] = ContextVar("asked", default=None)


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
    """Return one backfill by name, as this run or site has it; raise SettingsError otherwise."""
    if (asked := _asked.get()) and asked.name == name:
        return asked
    known = _all()
    if name not in known:
        raise SettingsError(f"There is no backfill '{name}'; there are: {', '.join(known)}.")
    return known[name]


def asked(connection: Connection, name: str) -> Backfill:
    """Return one backfill by name, as its next rows are asked: the ledger knows how they travel."""
    return versions.as_travelling(connection, get(name))


def of_slice(connection: Connection, the_slice: Slice) -> Backfill:
    """Return the version that a slice is of: the present one, or one as it was recorded."""
    present = get(the_slice.backfill)
    if the_slice.extractor_version == present.extractor_version:
        return versions.as_claimed(connection, present)
    other = replace(present, extractor_version=the_slice.extractor_version)
    return versions.as_recorded(connection, other)


@contextmanager
def asking(backfill: Backfill) -> Iterator[None]:
    """Let a run ask another version than the site's, and no other run beside it."""
    before = _asked.set(backfill)
    try:
        yield
    finally:
        _asked.reset(before)


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


def refuse(backfill: Backfill, place: str) -> None:
    """Raise SettingsError, naming the place, where the backfill's model would refuse the asking."""
    for said in refusals(backfill, reference.models()):
        raise SettingsError(f"{place}: {said}.")


def forget_site() -> None:
    """Let the site file be read anew."""
    _all.cache_clear()
    versions.on_wire.cache_clear()
