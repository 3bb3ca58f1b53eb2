"""What a changed question goes by."""

import re
from collections.abc import Collection
from itertools import count

_NUMBER = re.compile(r"[0-9]{1,9}\Z")


def next_version(version: str, known: Collection[str] = ()) -> str:
    """Return the version after this one that is not known yet: its number raised, or `_v2`."""
    found = _NUMBER.search(version)
    stem, number = (version[: found.start()], int(found[0])) if found else (f"{version}_v", 1)
    names = (f"{stem}{each}" for each in count(number + 1))
    return next(name for name in names if name not in known)
