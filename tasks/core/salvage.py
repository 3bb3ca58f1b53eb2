"""JSON in a model's own words: where it stands between prose and fences, and as what bytes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

_SEGMENTS = 24  # outermost brackets looked into
_DEEPEST = 64  # brackets in brackets; no answer nests like that

# The next bracket outside strings; a string that never ends hides all that follow.
_NEXT_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
_BRACKET = re.compile(r"[{\[]")
_MARKS = '{[":,\\'
_CLOSES = {"{": "}", "[": "]"}


def without_lone_surrogates(text: str) -> str:
    """Return the text with each half of a surrogate pair as U+FFFD; its length stays."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def encode(value: object) -> bytes | None:
    """Return a JSON value as bytes, or None where it nests too deeply to be one."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        pass  # lone surrogates and integers over 64 bits; the slow way knows both
    try:
        return without_lone_surrogates(json.dumps(value, ensure_ascii=False)).encode()
    except (RecursionError, ValueError):
        return None


def decode(text: str) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return a JSON value; None where it is none, which is no answer either."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def is_beyond(text: str, characters: int, marks: int) -> bool:
    """Say whether a text has more characters or more marks of JSON than that."""
    return len(text) > characters or sum(map(text.count, _MARKS)) > marks


def segments(text: str) -> Iterator[tuple[int, int | None]]:
    """Yield [start, end) of what stands in outermost brackets; the last may never end."""
    end: int | None = 0
    for _ in range(_SEGMENTS):
        if end is None or (bracket := _BRACKET.search(text, end)) is None:
            return
        start = bracket.start()
        end = _end(text, start)
        yield start, end


def says_something(value: object) -> bool:
    """Say whether there is anything but brackets: nothing cut off is no empty answer."""
    if isinstance(value, dict | list):
        return any(map(says_something, value.values() if isinstance(value, dict) else value))
    return True


def _end(text: str, start: int) -> int | None:
    """Return where the brackets that open at `start` are closed; None where they never are."""
    closers: list[str] = []
    place = start
    while (token := _NEXT_BRACKET.match(text, place)) is not None:
        place = token.end()
        mark = token[1]
        if mark in _CLOSES:
            closers.append(_CLOSES[mark])
            if len(closers) > _DEEPEST:
                return None
        elif mark == closers[-1]:
            closers.pop()
            if not closers:
                return place
    return None
