"""Which files a run's form may name: those below the folders that the installation allows."""

import os
from pathlib import Path

from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError


def allowed(path: Path | str, field: str) -> Path:
    """Return the path; raise one sentence unless what it is, links followed, lies in a folder.

    Hidden files are none of a form's: settings, keys and repositories are kept in them.
    """
    place, roots = real(path, field), _roots()
    if not any(_holds(root, place) for root in roots):
        raise PreflightError(
            f"{field} names {path}, which is hidden or outside {', '.join(map(str, roots))}: put"
            " the file there, or add its folder to BACKFILL_FILES_ROOT."
        )
    return Path(path)


def real(path: Path | str, field: str) -> Path:
    """Return where a path leads, links followed; raise one sentence when it leads nowhere."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        raise PreflightError(f"{field} is not a path: write the name of a file.") from None


def _roots() -> list[Path]:
    here = settings()
    named = here.files_root.split(os.pathsep) if here.files_root else ["."]
    return [*(Path(each).resolve() for each in named if each), here.reports_dir.resolve()]


def _holds(root: Path, place: Path) -> bool:
    below = place.relative_to(root).parts if place.is_relative_to(root) else (".",)
    return not any(part.startswith(".") for part in below)
