"""Request and response files on this machine: written under another name, checked, renamed."""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import orjson

from tasks.adapters.settings import settings

_BUFFER = 1 << 20


def requests_path(slice_id: str) -> Path:
    """Return where a slice's request lines are written."""
    return _directory() / f"{slice_id}.requests.jsonl"


def responses_path(slice_id: str) -> Path:
    """Return where a slice's response lines are fetched to."""
    return _directory() / f"{slice_id}.responses.jsonl"


def part_of(path: Path) -> Path:
    """Return the name a file has until it is whole; one process never meets another's."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def write(path: Path, lines: Iterable[bytes], tail: bytes) -> str:
    """Write lines to a file that appears whole or not at all; return a SHA-256 that names it.

    Every line ends with the same tail, thousands of bytes of instruction and schema: it is hashed
    once.
    """
    part, sha, end = part_of(path), hashlib.sha256(tail), -len(tail)
    with part.open("wb", buffering=_BUFFER) as file:
        for line in lines:
            file.write(line)
            sha.update(line[:end])
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


def lines(path: Path | None) -> Iterator[bytes]:
    """Yield the lines of a fetched file; none where there is no file."""
    if path is not None:
        with path.open("rb") as file:
            yield from file


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
