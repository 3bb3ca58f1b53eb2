"""Files on this machine that speak of single targets: reports, and what travels or was left."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

from tasks.adapters.settings import settings
from tasks.core.traces import bad_list_without, sample_without

_DATE = r"\d{4}-\d\d-\d\d-\d{6}"
_DATED = re.compile(_DATE)
_EXPORT = re.compile(r"\.(?:parquet|csv|jsonl|jsonl\.gz)$")
_SLICE_FILE = re.compile(r"(.+?)(?:\.double)?\.(?:requests|responses)\.jsonl")


def clean_reports(name: str, ids: Collection[str], *, really: bool) -> int:
    """Take targets out of a backfill's dated reports; return how many files spoke of them."""
    bad = _clean(
        f"{_DATE}-{name}-(?:bad|review).csv", lambda text: bad_list_without(text, ids), really
    )
    samples = f"{_DATE}-{name}-(?:[a-z]+-sample|try|explain|compare|review).md"
    return bad + _clean(samples, lambda text: sample_without(text, ids), really)


def exports() -> list[Path]:
    """Return the files of results and of answers that exports have left below the reports."""
    below = sorted(settings().reports_dir.rglob("*"))
    return [path for path in below if _EXPORT.search(path.name) and not _DATED.match(path.name)]


def slices_with_files() -> list[str]:
    """Return the slices of which request or response files are on this machine."""
    found = (_SLICE_FILE.match(path.name) for path in _files(settings().work_dir))
    return sorted({each[1] for each in found if each})


def _clean(pattern: str, without: Callable[[str], str], really: bool) -> int:  # noqa: FBT001
    cleaned = 0
    for path in _files(settings().reports_dir):
        if not re.fullmatch(pattern, path.name):
            continue
        text = path.read_text(encoding="utf-8")
        if (left := without(text)) != text:
            cleaned += 1
            if really:
                _replace(path, left)
    return cleaned


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*") if path.is_file())
