"""Request and response files on this machine: written under another name, checked, renamed."""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import orjson

from tasks.adapters.settings import settings


def requests_path(slice_id: str) -> Path:
    """Return where a slice's request lines are written."""
    return _directory() / f"{slice_id}.requests.jsonl"


def responses_path(slice_id: str) -> Path:
    """Return where a slice's response lines are fetched to."""
    return _directory() / f"{slice_id}.responses.jsonl"


def part_of(path: Path) -> Path:
    """Return the name a file has until it is whole; one process never meets another's."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def write(path: Path, lines: Iterable[bytes]) -> str:
    """Write lines to a file that appears whole or not at all; return the SHA-256 of its bytes."""
    part, sha = part_of(path), hashlib.sha256()
    with part.open("wb") as file:
        for line in lines:
            file.write(line)
            sha.update(line)
    part.replace(path)
    return sha.hexdigest()


def keys_on_lines(slice_id: str, numbers: Collection[int]) -> list[str]:
    """Return the keys of some request lines, by their numbers from 1, if the file is here."""
    wanted, path = set(numbers), requests_path(slice_id)
    if not path.exists():
        return []
    with path.open("rb") as file:
        return [
            orjson.loads(line)["key"] for number, line in enumerate(file, 1) if number in wanted
        ]


def seal(part: Path, path: Path) -> None:
    """Give a fetched file its name, once its bytes are on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def free_bytes(directory: Path) -> int | None:
    """Return the free space where a directory is or will be; None when it cannot be written to."""
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free if os.access(place, os.W_OK | os.X_OK) else None


def discard(slice_id: str) -> None:
    """Remove a slice's files; what is gone already is fine."""
    for path in (requests_path(slice_id), responses_path(slice_id)):
        path.unlink(missing_ok=True)


def _directory() -> Path:
    directory = settings().work_dir
    directory.mkdir(parents=True, exist_ok=True)
    return directory
