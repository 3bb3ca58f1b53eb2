"""Document directories: complete and on disk under their name, or not there at all."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.core.documents.document import Document, checksums


def put(out_root: Path, incoming: Path, document: Document) -> Path:
    """Put a document's directory in place and return it.

    A crash may have left the same directory without its row: then it is kept as it is. A
    different one that no row points at is replaced.
    """
    final = out_root / str(document.record["doc_dir"])
    if _holds(final, document.files):
        return final
    part = incoming / str(document.record["doc_id"])
    _write(part, document.files)
    if final.exists():
        shutil.rmtree(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    part.rename(final)
    return final


def settle(out_root: Path, directories: Iterable[Path]) -> None:
    """Make the names of directories as durable as their content, before any row tells of them."""
    keys = {directory.parent for directory in directories}
    stages = {key.parent for key in keys}
    for folder in (*keys, *stages, out_root):
        _sync_folder(folder)


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


def _write(directory: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in files.items():
        with (directory / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    _sync_folder(directory)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
