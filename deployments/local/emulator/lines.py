"""Input files: read line by line, checked line by line, refused as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from deployments.local.emulator import tokens
from deployments.local.emulator.shapes import ShapeError, message

SHOWN_ERRORS = 10
REQUEST = {"generate": "GenerateContentRequest", "embed": "EmbedContentRequest"}
BODY = {"generate": "contents", "embed": "content"}


@dataclass
class Verdict:
    """What became of checking a file: how much it asks, or what is wrong with it."""

    requests: int = 0
    tokens: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """Return the errors as the service words them."""
        return "\n".join(self.errors)


class LineCheck:
    """Checks lines of one kind; remembers what was fine, because most of a line repeats."""

    def __init__(self, kind: str, rejected: tuple[str, ...] = ()) -> None:
        self.shape = message(REQUEST[kind])
        self.body = BODY[kind]
        self.rejected = tuple(orjson.dumps(text)[1:-1] for text in rejected)
        self.fine: dict[str, object] = {}

    def tokens(self, raw: bytes) -> int:
        """Return the input tokens of a line, or raise ShapeError."""
        if any(text in raw for text in self.rejected):
            raise ShapeError("Request contains an invalid argument.")
        line = _parse(raw)
        for name in line:
            if name not in ("key", "request", "metadata"):
                raise ShapeError(f"no such field: '{name}'", name)
        if not isinstance(line.get("key", ""), str):
            raise ShapeError("unexpected character; expected '\"'", "key")
        return self._request(line.get("request"))

    def _request(self, request: object) -> int:
        if not isinstance(request, dict):
            raise ShapeError("missing required field: 'request'")
        for name, value in request.items():
            if name == self.body:
                self.shape({name: value})
            elif name not in self.fine or self.fine[name] != value:
                self._constant(name, value)
        if not request.get(self.body):
            raise ShapeError(f"missing required field: '{self.body}'", "request")
        return tokens.of_request(request)

    def _constant(self, name: str, value: object) -> None:
        try:
            self.shape({name: value})
        except ShapeError as error:
            error.near = error.near or name
            raise
        self.fine[name] = value


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise ShapeError("unexpected end of input")
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ShapeError(str(error)) from None
    if not isinstance(line, dict):
        raise ShapeError("unexpected character; expected '{'")
    if "request" in line and not line.get("key") and "metadata" not in line:
        raise ShapeError("missing required field: 'key'")
    return line


def _near(raw: bytes, word: str) -> int:
    at = raw.find(f'"{word}"'.encode()) if word else -1
    return at + len(word) + 2 if at >= 0 else 1


def check_file(path: Path, kind: str, rejected: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict on a whole input file, reading one line at a time."""
    verdict, check = Verdict(), LineCheck(kind, rejected)
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                verdict.tokens += check.tokens(raw)
            except ShapeError as error:
                near = f"near column {_near(raw, error.near)}: "
                verdict.errors.append(f"Error on line {number}: invalid JSON, {near}{error}")
            verdict.requests += 1
            if len(verdict.errors) >= SHOWN_ERRORS:
                break
    return verdict


def read(path: Path, start: int, count: int, most_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, line) from an offset on, up to a number of lines or bytes."""
    with path.open("rb") as file:
        file.seek(start)
        at = start
        for _ in range(count):
            raw = file.readline()
            if not raw or at - start > most_bytes:
                return
            yield at, raw
            at += len(raw)
