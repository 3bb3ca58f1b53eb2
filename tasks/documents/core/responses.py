"""Response text: where a row says it is, and what its bytes say."""

import codecs
from dataclasses import dataclass

from tasks.documents.core.sources import RESPONSES_FOLDER

_PREFIXES = (f"data/{RESPONSES_FOLDER}/", f"{RESPONSES_FOLDER}/")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Text:
    """What a response says, and how its bytes were read."""

    text: str
    encoding: str
    replaced: int


def below_root(response_file: str) -> str:
    """Return a response_file relative to the responses' folder, however far up it started."""
    for prefix in _PREFIXES:
        if response_file.startswith(prefix):
            return response_file.removeprefix(prefix)
    return response_file


def climbs(path: str) -> bool:
    """Return whether a path is absolute or, read from left to right, ever leaves its root."""
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return path.startswith("/") or "\0" in path


def parse(raw: bytes) -> Text:
    """Return the text of a response: no byte order mark, plain newlines, none at the ends.

    Bytes that are not UTF-8 become U+FFFD and are counted; the raw bytes are kept beside.
    """
    encoding = "utf-16" if raw.startswith(_UTF16) else "utf-8"
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return Text(_tidy(raw.decode(codec)), encoding, 0)
    except UnicodeDecodeError:
        text = raw.decode(codec, errors="replace")
        return Text(_tidy(text), "unknown", text.count("\ufffd"))


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
