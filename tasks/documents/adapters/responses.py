"""Response and prompt files, reached through a row's own columns and inside their root only."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.documents.adapters.place import Place
from tasks.documents.core.responses import below_root, climbs
from tasks.documents.core.sources import BY_NAME


class UnusableFileError(Exception):
    """A file that a row names cannot be used; `reason` is the word for the bad list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_response(place: Place, row: Mapping[str, Any]) -> bytes:
    """Return the bytes of a row's response; raise when there is nothing to use."""
    name = row["response_file"]
    if not name:
        raise UnusableFileError("missing_response_file", "the response_file column is empty")
    raw = _read(place.responses, _places(name, BY_NAME[row["source_csv"]].responses))
    if not raw.strip():
        raise UnusableFileError("empty_response_file", "the file holds nothing but white space")
    return raw


def read_prompt(place: Place, row: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a row's prompt, or None; links without a prompt_file go by task id."""
    folder = BY_NAME[row["source_csv"]].prompts
    if row["prompt_file"]:
        places = _places(row["prompt_file"], folder)
    elif folder:
        places = [f"{folder}/{row['task_id']}{end}" for end in (".txt", "_prompt.txt")]
    else:
        return None
    try:
        return _read(place.responses, places)
    except UnusableFileError:
        return None


def _places(name: str, folder: str | None) -> list[str]:
    """Return where a name is looked up: below the root, then in its kind's own folder."""
    path = below_root(name)
    return [path, f"{folder}/{path}"] if folder and not climbs(path) else [path]


def _read(root: Path, places: list[str]) -> bytes:
    """Return the bytes of the first place that exists."""
    top = os.path.realpath(root)
    for place in places:
        try:
            return _read_regular(_inside(top, place))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            detail = f"the file cannot be read: {error.strerror}"
            raise UnusableFileError("missing_response_file", detail) from None
    raise UnusableFileError("missing_response_file", "there is no such file")


def _inside(top: str, path: str) -> str:
    """Return the real path of a file below a root; refuse what leads out of it."""
    if climbs(path):
        raise UnusableFileError("refused_response_file", "the path is absolute or leaves its root")
    real = os.path.realpath(os.path.join(top, path))  # noqa: PTH118 - realpath never raises for loops
    if os.path.commonpath((top, real)) != top:
        raise UnusableFileError("refused_response_file", "a symlink leads out of the root")
    return real


def _read_regular(path: str) -> bytes:
    """Return a regular file's bytes; a pipe or device is an OSError and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)
