"""JSON in a model's own words: in fences, between prose, slightly wrong, or cut off."""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import json_repair
import orjson

# Answers end at 65,536 tokens; anything longer is not an answer and not worth the repair's time.
MAX_REPAIRED = 1_000_000
_SEGMENTS = 24  # outermost brackets looked into
_DEEPEST = 64  # brackets in brackets; no answer nests like that
_CUTS = 24  # ends of items tried, from the last one backwards

# The next bracket outside strings; a string that never ends hides all that follow.
_NEXT_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
_BRACKET = re.compile(r"[{\[]")
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


class Bracketed:
    """What stands in brackets in a text: JSON values, perhaps wrong, the last perhaps cut off."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _segments(self) -> list[tuple[int, int | None]]:
        return list(_segments(self._text))  # not before the text itself has failed

    def complete(self) -> Iterator[bytes]:
        """Yield each complete JSON object or array, but none from inside one that is cut off."""
        for start, end in self._segments:
            if end is not None and (encoded := _decoded(self._text[start:end])) is not None:
                yield encoded

    def finished_items(self) -> Iterator[bytes]:
        """Yield cut-off JSON closed after its last finished item, then after the one before, ….

        A repair library would keep the unfinished item, with half a word as its value.
        """
        for start, end in self._segments:
            if end is None:
                for cut, closers in reversed(_cuts(self._text, start)[-_CUTS:]):
                    if (encoded := _decoded(self._text[start:cut] + closers)) is not None:
                        yield encoded

    def repaired(self) -> tuple[bytes, bool] | None:
        """Return the longest object or array, repaired, and whether items may be lost."""
        if not self._segments or len(self._text) > MAX_REPAIRED:
            return None
        start, end = max(self._segments, key=self._length)
        raw = self._text[start:end]
        try:
            value: Any = json_repair.repair_json(raw, return_objects=True, skip_json_loads=True)
        except (RecursionError, ValueError, IndexError):
            return None
        encoded = encode(value) if isinstance(value, dict | list) else None
        if encoded is None or not _says_something(value):
            return None
        return encoded, end is None or _objects(raw) > _objects(encoded.decode())

    def _length(self, segment: tuple[int, int | None]) -> int:
        start, end = segment
        return (len(self._text) if end is None else end) - start


def _says_something(value: object) -> bool:
    """Say whether there is anything but brackets: nothing cut off is no empty answer."""
    if isinstance(value, dict | list):
        return any(map(_says_something, value.values() if isinstance(value, dict) else value))
    return True


def _decoded(text: str) -> bytes | None:
    try:
        return encode(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _segments(text: str) -> Iterator[tuple[int, int | None]]:
    """Yield [start, end) of what stands in outermost brackets; the last may never end."""
    end: int | None = 0
    for _ in range(_SEGMENTS):
        if end is None or (bracket := _BRACKET.search(text, end)) is None:
            return
        start = bracket.start()
        end = next((place for place, closers in _closings(text, start) if not closers), None)
        yield start, end


def _cuts(text: str, start: int) -> list[tuple[int, str]]:
    """Return where nested values end, each with what would close the rest."""
    return [(end, "".join(reversed(closers))) for end, closers in _closings(text, start)]


def _closings(text: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the end of every value in brackets from `start` on, and what is still open there."""
    closers: list[str] = []
    place = start
    while (token := _NEXT_BRACKET.match(text, place)) is not None:
        place = token.end()
        mark = token[1]
        if mark in _CLOSES:
            closers.append(_CLOSES[mark])
            if len(closers) > _DEEPEST:
                return
        elif closers and mark == closers[-1]:
            closers.pop()
            yield place, closers


def _objects(text: str) -> int:
    return sum(bracket[1] == "{" for bracket in _NEXT_BRACKET.finditer(text))
