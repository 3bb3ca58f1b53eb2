"""A question that is to be compared before it is anybody's: the site's, but for some lines."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks import backfills
from tasks.adapters import site
from tasks.adapters.allowed import allowed
from tasks.adapters.ledger import versions
from tasks.adapters.postgres import Connection
from tasks.core.errors import PreflightError
from tasks.slices.as_asked import AsAsked, as_today
from tasks.slices.requests import meaning, question_digest

PLACE = "candidate_lines"
_MAY = ("extractor_version", "google_search", "max_output_tokens", "model", "options", "prompt")
_MAY_TOO = ("temperature", "thinking")


def from_lines(connection: Connection, name: str, text: str) -> AsAsked:
    """Return the version that the site would ask with some lines more, recorded as one.

    Its name is the lines' extractor_version, or made of what it asks: asked twice, it is paid once.
    """
    present, lines = backfills.get(name), _read(text)
    backfill = backfills.with_lines(name, lines, PLACE)
    digest = question_digest(backfill)
    if digest == question_digest(present):
        raise PreflightError(
            f"{PLACE} ask what {present.extractor_version} of {name} asks already: change its"
            " model, prompt, thinking or options."
        )
    if backfill.extractor_version == present.extractor_version:
        backfill = replace(backfill, extractor_version=f"candidate_{digest[:8]}")
    backfill = versions.as_travelling(connection, backfill)
    versions.claim(connection, backfill, question_digest(backfill), meaning(backfill))
    return as_today(backfill)


def _read(text: str) -> dict[str, Any]:
    try:
        lines = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PreflightError(
            f"{PLACE} are not TOML ({error}): write them as in backfills.toml, such as"
            ' model = "gemini-3.1-flash-lite".'
        ) from None
    known = (*_MAY, *_MAY_TOO)
    if unknown := [key for key in lines if key not in known]:
        raise PreflightError(
            f"{PLACE} name '{unknown[0]}', which a comparison cannot change: it knows"
            f" {', '.join(known)}."
        )
    _refuse_files_elsewhere(lines)
    return lines


def _refuse_files_elsewhere(lines: Mapping[str, Any]) -> None:
    """Refuse what a form may not have read; the site file's own lines may name any file."""
    folder = (site.path() or Path(site.NAME)).parent
    options = lines.get("options", {})
    chosen = options.values() if isinstance(options, Mapping) else ()
    named = [each.get("file") for each in chosen if isinstance(each, Mapping)]
    for file in (lines.get("prompt"), *named):
        if isinstance(file, str):
            allowed(folder / file, PLACE)
