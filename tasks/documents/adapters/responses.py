"""Response and prompt files, reached through a row's own columns and inside their root only."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.core.unseen import is_blank
from tasks.documents.adapters.place import Place
from tasks.documents.core.responses import below_roots, climbs, parse
from tasks.documents.core.sources import BY_NAME, ResultsTable


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
    source = BY_NAME[row["source_csv"]]
    raw = _read(place, source, _below(source, name, source.responses))
    if is_blank(parse(raw).text):
        raise UnusableFileError("empty_response_file", "the file holds nothing that can be seen")
    return raw


def read_prompt(place: Place, row: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a row's prompt, or None; links without a prompt_file go by task id."""
    source = BY_NAME[row["source_csv"]]
    try:
        return _read(place, source, _prompts(source, row))
    except UnusableFileError:
        return None


def _prompts(source: ResultsTable, row: Mapping[str, Any]) -> list[str]:
    if row["prompt_file"]:
        return _below(source, row["prompt_file"], source.prompts)
    ends = (".txt", "_prompt.txt") if source.prompts else ()
    return [n for e in ends for n in _below(source, f"{source.prompts}/{row['task_id']}{e}", None)]


def _below(source: ResultsTable, name: str, folder: str | None) -> list[str]:
    """Return where a name is looked up: below its roots, then in its kind's own folder there."""
    roots, path = below_roots(name, source.roots)
    if climbs(path):
        raise UnusableFileError("refused_response_file", "the path is absolute or leaves its root")
    named = dict.fromkeys([path, path.removeprefix("data/")])
    own = [*named, *(f"{folder}/{each}" for each in named if folder)]
    return [f"{root}/{path}" for root in roots for path in own]


def _read(place: Place, source: ResultsTable, names: list[str]) -> bytes:
    """Return the bytes of the first name that exists."""
    tops = [os.path.realpath(place.data_root / root) for root in source.roots]
    for name in names:
        try:
            return _read_regular(_inside(tops, place.data_root / name))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            detail = f"the file cannot be read: {error.strerror}"
            raise UnusableFileError("missing_response_file", detail) from None
    raise UnusableFileError("missing_response_file", "there is no such file")


def _inside(tops: list[str], path: Path) -> str:
    """Return the real path of a file below one of its roots; refuse what leads out of them."""
    real = os.path.realpath(path)  # it never raises for loops
    if all(os.path.commonpath((top, real)) != top for top in tops):
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
