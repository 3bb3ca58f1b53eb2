"""The installed standard library's source files, from which samples are made."""

import sysconfig
from collections.abc import Container, Iterator
from pathlib import Path

ROOT = Path(sysconfig.get_paths()["stdlib"])


def sources(left_out: Container[str]) -> Iterator[Path]:
    """Yield the files in the order of their paths, none from directories of the names left out.

    One directory is read after the other: a few files do not take a walk through site-packages.
    """
    return _below(ROOT, left_out)


def _below(place: Path, left_out: Container[str]) -> Iterator[Path]:
    for path in sorted(place.iterdir()):
        if path.is_dir():
            if path.name not in left_out and not path.is_symlink():
                yield from _below(path, left_out)
        elif path.suffix == ".py":
            yield path
