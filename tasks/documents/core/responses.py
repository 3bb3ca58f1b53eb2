"""Response text: where a row says it is, and what its bytes say."""

import re
from dataclasses import dataclass

from tasks.core.encodings import MARK, marked, unmarked

_DRIVE = re.compile("[A-Za-z]:")


@dataclass(frozen=True)
class Decoded:
    """What a response says, and how its bytes were read."""

    text: str
    encoding: str
    replaced: int


def below_roots(name: str, roots: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the roots that a file's name can mean, and the name relative to them.

    A name that begins with a root means that one alone. Windows parts names by a backslash, and
    what leads to here (`./`, `data/`) leads nowhere else.
    """
    first, *others = name.replace("\\", "/").split("/")
    short = "/".join([first, *filter(None, others)]).replace("/./", "/").removeprefix("./")
    below = short.removeprefix("data/")
    for root in roots:
        if below.startswith(f"{root}/"):
            return (root,), below.removeprefix(f"{root}/")
    return roots, short


def climbs(path: str) -> bool:
    """Return whether a path is absolute or, read from left to right, ever leaves its root."""
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return path.startswith("/") or _DRIVE.match(path) is not None or "\0" in path


def parse(raw: bytes) -> Decoded:
    """Return the text of a response: no byte order mark, plain newlines, none at the ends.

    Bytes that are not of the encoding become U+FFFD and are counted; they are kept beside.
    """
    codec = marked(raw) or unmarked(raw[:4096], len(raw)) or "utf-8"
    encoding = codec.removesuffix("-le").removesuffix("-be")
    try:
        return Decoded(_tidy(raw.decode(codec)), encoding, 0)
    except UnicodeDecodeError:
        text = raw.decode(codec, errors="replace")
        return Decoded(_tidy(text), "unknown", text.count("\ufffd"))


def _tidy(text: str) -> str:
    return text.lstrip(MARK).replace("\r\n", "\n").replace("\r", "\n").strip()
