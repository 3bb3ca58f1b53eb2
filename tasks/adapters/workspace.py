"""Request and response files on this machine."""

import glob
import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import orjson

from tasks.adapters.settings import settings
from tasks.adapters.whole_files import whole

_BUFFER = 1 << 20


def requests_path(slice_id: str) -> Path:
    """Return where a slice's request lines are written."""
    return _directory() / f"{slice_id}.requests.jsonl"


def responses_path(slice_id: str) -> Path:
    """Return where a slice's response lines are fetched to."""
    return _directory() / f"{slice_id}.responses.jsonl"


def write(path: Path, lines: Iterable[bytes], tail: bytes) -> str:
    """Write lines to a file that appears whole or not at all; return a SHA-256 that names it.

    Every line ends with the same tail, thousands of bytes of instruction and schema: it is hashed
    once. Without such a tail it is empty.
    """
    sha, end = hashlib.sha256(tail), -len(tail) or None
    # It is built anew where it is lost: it need not outlive a power cut.
    with (
        whole(path, synced=False, private=True) as part,
        part.open("wb", buffering=_BUFFER) as file,
    ):
        for line in lines:
            file.write(line)
            sha.update(line[:end])
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


def free_bytes(directory: Path) -> int | None:
    """Return the free space where a directory is or will be; None when it cannot be written to."""
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free if os.access(place, os.W_OK | os.X_OK) else None


def discard(slice_id: str) -> None:
    """Remove a slice's files, whole or not; what is gone already is fine."""
    for path in _directory().glob(f"{glob.escape(slice_id)}.*"):
        path.unlink(missing_ok=True)


def _directory() -> Path:
    directory = settings().work_dir
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
