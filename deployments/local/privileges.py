"""Postgres refuses to run as root: whom it runs as then, and what that account can reach."""

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deployments.local.errors import StackError

CANDIDATES = ("postgres", "nobody")
SHELTER = Path("/var/lib")


@dataclass(frozen=True)
class Account:
    """An unprivileged system user that exists already: nothing is added to the machine."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return the account that root steps down to, or None when we are not root.

    Raises:
        StackError: when root finds none.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError(
        "Postgres does not run as root, and there is neither a user `postgres` nor `nobody` "
        "to run it as: start the stack as an ordinary user."
    )


def reachable(path: Path) -> bool:
    """Return whether every user may walk down to the directory `path` and into it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def shelter(link: Path) -> Path:
    """Return a reachable directory that `link` points to, made on the first call.

    A clone below /root is closed to every other user; opening it would be ours to do to nobody.
    """
    if not link.is_symlink():
        place = Path(tempfile.mkdtemp(prefix="gemini-batch-backfill-", dir=SHELTER))
        place.chmod(0o711)
        link.symlink_to(place)
        print(
            f"Postgres runs as an unprivileged user that cannot enter {link.parent}: "
            f"its data is kept in {place}."
        )
    return link.resolve(strict=True)


def copy_readable(source: Path, target: Path) -> Path:
    """Return `target`, a copy of the tree `source` that every user may read and run."""
    if not target.exists():
        partial = target.with_suffix(".part")
        shutil.rmtree(partial, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                owner = path.stat().st_mode & (stat.S_IRUSR | stat.S_IXUSR)
                path.chmod(path.stat().st_mode | owner >> 3 | owner >> 6)
        partial.rename(target)
    return target
