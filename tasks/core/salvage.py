"""JSON in a model's own words: in fences, between prose, slightly wrong, or cut off."""

import json
import re
from collections.abc import Iterator
from typing import Any

import json_repair
import orjson

# Answers end at 65,536 tokens; anything longer is not an answer and not worth the repair's time.
MAX_REPAIRED = 1_000_000
_STARTS = 24  # places tried as the start of a JSON value
_CUTS = 24  # ends of items tried, from the last one backwards

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]|"', re.DOTALL)
_START = re.compile(r"[{\[]")
_CLOSES = {"{": "}", "[": "]"}
_DECODER = json.JSONDecoder()


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


def complete_values(text: str) -> Iterator[bytes]:
    """Yield each complete JSON object or array that starts in the text, outermost first."""
    place = 0
    for _ in range(_STARTS):
        if (start := _START.search(text, place)) is None:
            return
        try:
            value, place = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            place = start.end()
            continue
        if (encoded := encode(value)) is not None:
            yield encoded


def repaired_value(text: str) -> tuple[bytes, bool] | None:
    """Return the repaired JSON object or array of the text, and whether items may be lost."""
    start = _START.search(text)
    if start is None or len(text) > MAX_REPAIRED:
        return None
    text = _unfenced(text[start.start() :])
    try:
        value: Any = json_repair.repair_json(text, return_objects=True, skip_json_loads=True)
    except (RecursionError, ValueError, IndexError):
        return None
    encoded = encode(value) if isinstance(value, dict | list) and value else None
    return None if encoded is None else (encoded, _lost(text, encoded))


def finished_items(text: str) -> Iterator[bytes]:
    """Yield cut-off JSON closed after its last finished item, then after the one before, ….

    A repair library would keep the unfinished item, with half a word as its value.
    """
    start = _START.search(text)
    if start is None or len(text) > MAX_REPAIRED:
        return
    text = text[start.start() :]
    cuts, unfinished = _cuts(text)
    if not unfinished:
        return
    for end, closers in reversed(cuts[-_CUTS:]):
        try:
            value = json.loads(text[:end] + closers)
        except (ValueError, RecursionError):
            continue
        if (encoded := encode(value)) is not None:
            yield encoded


def _cuts(text: str) -> tuple[list[tuple[int, str]], bool]:
    """Return where nested values end, with what closes the rest, and whether the text is cut."""
    cuts: list[tuple[int, str]] = []
    closers: list[str] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in _CLOSES:
            closers.append(_CLOSES[mark])
        elif mark == '"':
            return cuts, True
        elif closers and mark == closers[-1]:
            closers.pop()
            if closers and len(closers) < _CUTS:
                cuts.append((token.end(), "".join(reversed(closers))))
    return cuts, bool(closers)


def _lost(raw: str, repaired: bytes) -> bool:
    """Say whether the text ends early or opens more objects than its repair has."""
    return _cuts(raw)[1] or _objects(raw) > _objects(repaired.decode())


def _objects(text: str) -> int:
    return sum(token[0] == "{" for token in _TOKEN.finditer(text))


def _unfenced(text: str) -> str:
    return re.sub(r"\s*```\s*\Z", "", text)
