"""Responses as they come back: one JSON line of an output file each, or one interactive reply."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from tasks.core.salvage import without_lone_surrogates

Json = dict[str, Any]

MOST = 2**31 - 1
"""Tokens of one kind that one answer can have: what the ledger's integer holds."""


class Usage(NamedTuple):
    """What one request used; what the service leaves out is 0. Thoughts are billed as output.

    `searches` are Google Search's queries, `searched` is 1 where there were any: models are billed
    by the one or by the other.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    searches: int = 0
    searched: int = 0

    def plus(self, more: "Usage") -> "Usage":
        """Return the tokens of both."""
        return Usage(
            self.input_tokens + more.input_tokens,
            self.output_tokens + more.output_tokens,
            self.thought_tokens + more.thought_tokens,
            self.cached_tokens + more.cached_tokens,
            self.searches + more.searches,
            self.searched + more.searched,
        )


class Response(NamedTuple):
    """One line of a job's output, or one interactive reply.

    Of a row that was asked together with `others` it is what the row got of the line; `astray` says
    why that is not surely its own.
    """

    key: str
    text: str | None = None
    finish_reason: str | None = None
    block_reason: str | None = None
    usage: Usage = Usage()
    model_version: str | None = None
    error: tuple[int, str] | None = None
    grounding_metadata: Json | None = None
    embedding: list[float] | None = None
    others: tuple[str, ...] = ()
    astray: tuple[str, str] | None = None

    @property
    def is_paid(self) -> bool:
        """Return whether there is an answer, of whatever worth, that was paid for."""
        return self.error is None and (self.text is not None or self.usage != Usage())


class Unreadable(NamedTuple):
    """A line that is no response: its number from 1, why, and its key where one can be made out."""

    line_number: int
    reason: str
    key: str | None = None


def read_lines(lines: Iterable[bytes]) -> Iterator[Response | Unreadable]:
    """Yield what each line of an output file says; blank lines say nothing."""
    for number, line in enumerate(lines, 1):
        try:
            data = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not line.strip():
                continue
            data = _second_reading(line)
            if data is None:
                yield Unreadable(number, f"not JSON: {error}", _key_in(line))
                continue
        yield _read_object(data, number)


def read_body(key: str, body: object) -> Response:
    """Return the response to one interactive request, from its decoded JSON body."""
    body = _object(body)
    return _response(key, body, body)


def _read_object(data: object, number: int) -> Response | Unreadable:
    if not isinstance(data, dict):
        return Unreadable(number, "not a JSON object")
    key = data.get("key")
    if key is None:
        key = _object(data.get("metadata")).get("key")
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if not isinstance(key, str):
        return Unreadable(number, "a line without a key")
    return _response(key, data, _object(data.get("response")))


def _response(key: str, line: Json, body: Json) -> Response:
    candidates = body.get("candidates")
    candidate = _object(candidates[0]) if isinstance(candidates, list) and candidates else {}
    if not candidate:
        return _without_candidate(key, line, body)
    return Response(
        key,
        _text(candidate.get("content")),
        _word(candidate.get("finishReason")),
        _block_reason(body),
        _searched(_usage(body.get("usageMetadata")), candidate.get("groundingMetadata")),
        _word(body.get("modelVersion")),
        _error(line),
        candidate.get("groundingMetadata"),
    )


def _without_candidate(key: str, line: Json, body: Json) -> Response:
    usage = _usage(body.get("usageMetadata"))
    if tokens := _count(body.get("tokenCount")):
        usage = Usage(input_tokens=tokens)
    return Response(
        key,
        block_reason=_block_reason(body),
        usage=usage,
        model_version=_word(body.get("modelVersion")),
        error=_error(line),
        embedding=_embedding(body.get("embedding")),
    )


def _text(content: object) -> str | None:
    """Return the joined text of the parts that are no thoughts; Postgres has no place for NUL."""
    parts = _object(content).get("parts")
    if not isinstance(parts, list):
        return None
    texts = [
        part["text"]
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("text"), str) and not part.get("thought")
    ]
    return "".join(texts).replace("\0", "\ufffd") if texts else None


def _usage(said: object) -> Usage:
    if not isinstance(said, dict):
        return Usage()
    read = said.get
    return Usage(
        _count(read("promptTokenCount")) + _count(read("toolUsePromptTokenCount")),
        _count(read("candidatesTokenCount")),
        _count(read("thoughtsTokenCount")),
        _count(read("cachedContentTokenCount")),
    )


def _searched(usage: Usage, grounding: object) -> Usage:
    """Return the usage with what the answer says that it searched for."""
    queries = _object(grounding).get("webSearchQueries")
    count = len(queries) if isinstance(queries, list) else 0
    return usage._replace(searches=count, searched=1) if count else usage


def _count(said: object) -> int:
    """Return a count, of which the ledger holds no more than MOST."""
    if said is None:
        return 0
    if type(said) is not int:
        said = int(said) if isinstance(said, str) and re.fullmatch(r"[0-9]{1,18}", said) else 0
    if 0 < said < MOST:
        return said
    return 0 if said <= 0 else MOST


def _error(line: Json) -> tuple[int, str] | None:
    said = line.get("error")
    if said is None and "response" not in line:
        said = line.get("status")  # the guide speaks of "a status object"
    if said is None or said == {}:
        return None
    message = _object(said).get("message") or _object(said).get("status") or said
    return _count(_object(said).get("code")), str(message)


def _block_reason(body: Json) -> str | None:
    feedback = body.get("promptFeedback")
    return None if feedback is None else _word(_object(feedback).get("blockReason"))


def _embedding(said: object) -> list[float] | None:
    values = _object(said).get("values")
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        return None
    return [float(value) for value in values]


def _object(said: object) -> Json:
    return said if isinstance(said, dict) else {}


def _word(said: object) -> str | None:
    return said if isinstance(said, str) else None


def _second_reading(line: bytes) -> object:
    """Return the JSON that orjson alone refuses: after a byte order mark, with lone surrogates."""
    try:
        text = line.decode("utf-8-sig")
        json.loads(text)  # the structure must be sound before its escapes are mended
        return orjson.loads(_mended(text))
    except (ValueError, RecursionError):
        return None


_SURROGATES = re.compile(r"(?:\\\\)+|(?:\\u[dD][89a-fA-F][0-9a-fA-F]{2})+")


def _mended(text: str) -> str:
    def replaced(run: re.Match[str]) -> str:
        if run[0].startswith("\\\\"):
            return run[0]
        return without_lone_surrogates(json.loads(f'"{run[0]}"'))

    return _SURROGATES.sub(replaced, text)


_KEY = re.compile(rb'(?<!\\)"key"\s*:\s*"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,512})"')


def _key_in(line: bytes) -> str | None:
    found = _KEY.search(line)
    return found[1].decode("ascii") if found else None
