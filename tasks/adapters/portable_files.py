"""Files of kept answers, below the reports directory; those whose name ends in .gz are packed."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from tasks.adapters.allowed import real
from tasks.adapters.settings import settings
from tasks.adapters.whole_files import unwritable, whole
from tasks.core.errors import PreflightError


def place(name: str) -> Path:
    """Return where a file of that name is or will be; raise for one outside the directory."""
    root = settings().reports_dir
    path = root / name
    if root.resolve() not in real(path, "file").parents:
        raise PreflightError(
            f"{name} is not below {root}: write the name of a file in that directory"
            " (BACKFILL_REPORTS_DIR), as concepts-answers.jsonl.gz."
        )
    return path


def write(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines to a file that appears whole or not at all."""
    if why := unwritable(path):
        raise PreflightError(f"The answers cannot be written to {path}: {why}.")
    packed = path.suffix == ".gz"
    with whole(path) as part, _opened(part, "wb", packed=packed) as file:
        file.writelines(lines)


def lines(path: Path) -> Iterator[bytes]:
    """Yield a file's lines; raise PreflightError where there is none, or its end is cut off."""
    number = 0
    try:
        with _opened(path, "rb", packed=path.suffix == ".gz") as file:
            for line in file:
                number += 1
                yield line
    except FileNotFoundError:
        raise PreflightError(f"There is no file {path}: put it there, or name another.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise PreflightError(
            f"Line {number + 1:,} of {path} cannot be unpacked: nothing was imported;"
            " copy the file whole, or export it again."
        ) from None


def _opened(path: Path, mode: str, *, packed: bool) -> IO[bytes]:
    if packed:
        return cast("IO[bytes]", gzip.open(path, mode, compresslevel=6))
    return path.open(mode)
