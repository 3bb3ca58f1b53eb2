"""Response text: where a row says it is, and what its bytes say."""

import codecs
from dataclasses import dataclass

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Decoded:
    """What a response says, and how its bytes were read."""

    text: str
    encoding: str
    replaced: int


def below_roots(name: str, roots: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the roots that a file's name can mean, and the name relative to them.

    A name that begins with a root means that one alone.
    """
    short = name.removeprefix("data/")
    for root in roots:
        if short.startswith(f"{root}/"):
            return (root,), short.removeprefix(f"{root}/")
    return roots, name


def climbs(path: str) -> bool:
    """Return whether a path is absolute or, read from left to right, ever leaves its root."""
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return path.startswith("/") or "\0" in path


def parse(raw: bytes) -> Decoded:
    """Return the text of a response: no byte order mark, plain newlines, none at the ends.

    Bytes that are not UTF-8 become U+FFFD and are counted; the raw bytes are kept beside.
    """
    encoding = "utf-16" if raw.startswith(_UTF16) else "utf-8"
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return Decoded(_tidy(raw.decode(codec)), encoding, 0)
    except UnicodeDecodeError:
        text = raw.decode(codec, errors="replace")
        return Decoded(_tidy(text), "unknown", text.count("\ufffd"))


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
