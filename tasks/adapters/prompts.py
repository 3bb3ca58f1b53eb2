"""System instructions, one Markdown file per backfill, with the site's options put in."""

import re
from functools import cache
from pathlib import Path

from tasks.adapters import site
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError

_ROOT = Path(__file__).resolve().parents[1] / "prompts"
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@cache
def load(backfill: Backfill) -> str:
    """Return a backfill's system instruction; raise SettingsError where it asks for the unknown."""
    path = _path(backfill)
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"The prompt of {backfill.name} cannot be read: {path}.") from None
    if not text:
        raise SettingsError(f"The prompt of {backfill.name} is empty: {path}.")
    known = backfill.options.model_dump()

    def chosen(place: re.Match[str]) -> str:
        if place[1] not in known:
            raise SettingsError(_unknown(path, place[0], tuple(known)))
        return _said(known[place[1]])

    return _PLACE.sub(chosen, text)


def _path(backfill: Backfill) -> Path:
    """Return the file: the site's own, named from where the site file lies, or the product's."""
    if not backfill.prompt:
        return _ROOT / f"{backfill.declared_as}.md"
    file = site.path()
    return (file.parent if file else Path()) / backfill.prompt


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value) or "(not limited)"
    return str(value)


def _unknown(path: Path, place: str, known: tuple[str, ...]) -> str:
    options = (
        ", ".join(f"{{{{ {name} }}}}" for name in known) or "none: the backfill has no options"
    )
    return f"{path} has {place}, which is no option of its backfill (known: {options})."
