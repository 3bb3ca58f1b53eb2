"""Dated report files: written under another name, then renamed."""

from datetime import datetime
from pathlib import Path

from tasks.adapters.settings import settings


def save(name: str, text: str, now: datetime, suffix: str = ".md") -> Path:
    """Write a report whose name begins with its date and time; return its path."""
    directory = settings().reports_dir
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{now:%Y-%m-%d-%H%M%S}-{name}{suffix}"
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
