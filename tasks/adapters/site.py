"""The site file as it lies on this machine."""

import tomllib
from pathlib import Path
from typing import Any

from tasks.adapters.settings import settings
from tasks.core.errors import SettingsError

NAME = "backfills.toml"


def path() -> Path | None:
    """Return the site file; None where there is none. One that was named must be there."""
    named = settings().site_file
    file = named or Path(NAME)
    if file.is_file():
        return file
    if named:
        raise SettingsError(f"BACKFILL_SITE_FILE names {named}, and there is no such file.")
    return None


def read(file: Path) -> dict[str, Any]:
    """Return what the file says; raise SettingsError where it is not TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not TOML: {str(error).rstrip('.')}.") from None
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
