"""Document directories: complete and on disk under their name, or not there at all."""

import ctypes
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.documents.core.document import Document, checksums


def prepare(out_root: Path, incoming: Path, document: Document) -> None:
    """Write a document's files under a temporary name; nothing is promised about the disk yet.

    A crash may have left the same directory without its row: then it is kept as it is.
    """
    if _holds(out_root / str(document.record["doc_dir"]), document.files):
        return
    part = incoming / str(document.record["doc_id"])
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, content in document.files.items():
        (part / name).write_bytes(content)


def harden(out_root: Path, paths: Iterable[Path]) -> None:
    """Return when paths are on disk: all at once where the system can, else by one fsync each.

    Linux's syncfs writes a whole file system out and waits. One fsync of a new file is one commit
    of the file system's journal, and a slice has thousands of new files.
    """
    syncfs = getattr(ctypes.CDLL(None), "syncfs", None)
    with _descriptor(out_root) as descriptor:
        if syncfs is not None and syncfs(descriptor) == 0:
            return
    for path in paths:
        with _descriptor(path) as descriptor:
            os.fsync(descriptor)


def prepared(incoming: Path, records: Iterable[Mapping[str, Any]]) -> Iterator[Path]:
    """Yield the files of prepared directories, and the directories."""
    for record in records:
        part = incoming / record["doc_id"]
        if part.exists():
            yield from part.iterdir()
            yield part


def publish(out_root: Path, incoming: Path, record: Mapping[str, Any]) -> None:
    """Give a prepared directory its name; what stands there and no row tells of goes."""
    part, final = incoming / record["doc_id"], out_root / record["doc_dir"]
    if not part.exists():
        return
    if final.exists():
        shutil.rmtree(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    part.rename(final)


def published(out_root: Path, records: Iterable[Mapping[str, Any]]) -> Iterator[Path]:
    """Yield the folders in which directories got their names, up to out_root."""
    keys = {(out_root / record["doc_dir"]).parent for record in records}
    yield from keys
    yield from {key.parent for key in keys}
    yield out_root


def clear(incoming: Path) -> None:
    """Remove what a crash left half made."""
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)


def walk(out_root: Path) -> Iterator[Path]:
    """Yield every document directory, known or not, in order within its logical key."""
    for stage in sorted(folder for folder in _folders(out_root) if folder.name in _STAGES):
        for key in _folders(stage):
            yield from sorted(_folders(key))


def problems(directory: Path, *, expects_prompt: bool, verify: bool) -> list[str]:
    """Return what is wrong with one directory; `verify` compares the bytes with their checksums."""
    try:
        present = _names(directory)
    except (FileNotFoundError, NotADirectoryError):
        return ["missing_directory"]
    wanted = ["raw.txt", "parsed.txt", "metadata.json"] + ["prompt.txt"] * expects_prompt
    found = [f"missing_{name.split('.')[0]}" for name in wanted if name not in present]
    if verify and "metadata.json" in present:
        found += [f"changed_{name.split('.')[0]}" for name in _changed(directory)]
    return found


def intact(directory: Path) -> bytes | None:
    """Return a directory's metadata.json when every file is as it says, else None."""
    try:
        told = (directory / "metadata.json").read_bytes()
        complete = {*checksums(told), "metadata.json"} == _names(directory)
        return told if complete and not any(_changed(directory)) else None
    except (OSError, ValueError, KeyError):
        return None


_STAGES = ("draft", "essay", "evaluation")


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def _changed(directory: Path) -> Iterator[str]:
    told = checksums((directory / "metadata.json").read_bytes())
    for name, checksum in told.items():
        path = directory / name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            yield name


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        with os.scandir(path) as entries:
            yield from (Path(e.path) for e in entries if e.is_dir(follow_symlinks=False))


def _holds(directory: Path, files: dict[str, bytes]) -> bool:
    try:
        if _names(directory) != set(files):
            return False
        return all((directory / name).read_bytes() == files[name] for name in files)
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
