"""Files that appear whole or not at all; a disk that has no room left is one sentence."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

from tasks.core.errors import DiskFullError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def whole(path: Path, *, synced: bool = True, private: bool = False) -> Iterator[Path]:
    """Yield a name to write a file under; it gets its own at the end, its bytes on the disk.

    A private file is its owner's alone, from its first byte.
    """
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if private:
            part.touch(mode=0o600)
        yield part
        if synced:
            _sync(part)
        part.replace(path)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise DiskFullError(_full(path, error)) from error
    finally:
        part.unlink(missing_ok=True)


def unwritable(path: Path) -> str | None:
    """Return why no file can be put there, or None: its folder is made, and a file in it tried."""
    try:
        if path.is_dir():
            return "it is a folder"
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass  # a kill leaves nothing
    except (FileExistsError, NotADirectoryError):
        return "what should be its folder is a file"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")


def _sync(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _full(path: Path, error: OSError) -> str:
    return (
        f"{path.name} could not be written in {path.parent.absolute()} ({error.strerror}): make"
        " room there, and run again; nothing is lost, and nothing is paid again."
    )
