"""The site file, and the prompts, as they lie on this machine."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from tasks.adapters.settings import settings
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError

NAME = "backfills.toml"

_ROOT = Path(__file__).resolve().parents[1] / "prompts"
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def path() -> Path | None:
    """Return the site file; None where there is none. One that was named must be there."""
    named = settings().site_file
    file = named or Path(NAME)
    if file.is_file():
        return file
    if named:
        raise SettingsError(
            f"BACKFILL_SITE_FILE names {named}, and there is no such file: write it, or unset that."
        )
    return None


def read(file: Path) -> dict[str, Any]:
    """Return what the file says; raise SettingsError where it is not TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not TOML, correct it: {str(error).rstrip('.')}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8; save it as UTF-8.") from None


def lines(file: Path, name: str) -> list[str]:
    """Return the values of a list that stands in a file beside the site file, one a line.

    Blank lines and those that begin with # say nothing.
    """
    place = file.parent / name
    try:
        found = place.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} takes a list from {place}: {_why(error)}.") from None
    stripped = (line.strip() for line in found)
    return list(dict.fromkeys(line for line in stripped if line and not line.startswith("#")))


def _why(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error.strerror)


@cache
def prompt(backfill: Backfill) -> str:
    """Return a backfill's system instruction; raise SettingsError where it asks for the unknown."""
    text = backfill.instruction or _text(backfill)
    where = "The prompt" if backfill.instruction else str(_path(backfill))
    known = backfill.options.model_dump()

    def chosen(place: re.Match[str]) -> str:
        if place[1] not in known:
            raise SettingsError(_unknown(where, place[0], tuple(known)))
        return _said(known[place[1]])

    return _PLACE.sub(chosen, text)


def _text(backfill: Backfill) -> str:
    path = _path(backfill)
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        said = f"The prompt of {backfill.name} cannot be read; put it into {path}."
        raise SettingsError(said) from None
    if not text:
        raise SettingsError(f"The prompt of {backfill.name} is empty; write it into {path}.")
    return text


def _path(backfill: Backfill) -> Path:
    """Return the file: the site's own, named from where the site file lies, or the product's."""
    if not backfill.prompt:
        return _ROOT / f"{backfill.declared_as}.md"
    return beside(backfill.prompt)


def beside(name: str) -> Path:
    """Return where a file lies that is named from where the site file is."""
    file = path()
    return (file.parent if file else Path()) / name


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value) or "(not limited)"
    return str(value)


def _unknown(where: str, place: str, known: tuple[str, ...]) -> str:
    options = (
        ", ".join(f"{{{{ {name} }}}}" for name in known) or "none: the backfill has no options"
    )
    return f"{where} has {place}, which is no option of its backfill (known: {options})."
