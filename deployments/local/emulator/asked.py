"""What a request asks: its text, its model's limits and the shape it wants back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from deployments.local.emulator.answers import Make, compile_schema
from deployments.local.emulator.passage import Passage
from deployments.local.emulator.spelling import get
from deployments.local.emulator.terms import SCHEMAS
from deployments.local.emulator.together import rows_of, schema_of_one

Json = Mapping[str, Any]
FENCED = re.compile(r"```(?:json|jsonc)?\s*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class _Config:
    make: Make | None  # of the schema, if there is one
    make_one: Make | None  # of one answer of several
    is_json: bool
    most_tokens: int | None
    shows_thoughts: bool


@lru_cache(maxsize=256)
def _read(raw: bytes) -> _Config:
    config = orjson.loads(raw)
    schema = next((get(config, name) for name in SCHEMAS if get(config, name)), None)
    one = schema_of_one(schema)
    most = get(config, "maxOutputTokens")
    return _Config(
        make=compile_schema(schema) if schema else None,
        make_one=compile_schema(one) if one else None,
        is_json=get(config, "responseMimeType") == "application/json",
        most_tokens=int(most) if most is not None else None,
        shows_thoughts=bool(get(get(config, "thinkingConfig") or {}, "includeThoughts")),
    )


@lru_cache(maxsize=64)
def _found(prompt: str) -> Make | None:
    for block in FENCED.findall(prompt):
        try:
            shape = orjson.loads(block)
        except orjson.JSONDecodeError:
            continue
        if isinstance(shape, dict | list):
            return compile_schema(dict(shape) if _is_schema(shape) else _as_schema(shape))
    return None


def _is_schema(shape: object) -> bool:
    return (
        isinstance(shape, dict) and "type" in shape and ("properties" in shape or "items" in shape)
    )


def _as_schema(example: object) -> dict[str, Any]:
    if isinstance(example, dict):
        return {"type": "object", "properties": {k: _as_schema(v) for k, v in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": _as_schema(example[0] if example else "")}
    if isinstance(example, bool):
        return {"type": "boolean"}
    if isinstance(example, int | float):
        return {"type": "integer" if isinstance(example, int) else "number"}
    options = [word.strip() for word in str(example).split("|")]
    return {"type": "string"} | ({"enum": options} if len(options) > 1 else {})


def texts(contents: Json | list[Json] | None) -> str:
    """Return the text parts of contents, joined by newlines."""
    several = [contents] if isinstance(contents, Mapping) else contents or []
    return "\n".join(part.get("text") or "" for c in several for part in c.get("parts") or ())


class Asked:
    """A generate request, read once."""

    __slots__ = (
        "grounded",
        "make",
        "make_one",
        "most_tokens",
        "raw_config",
        "rows",
        "schema_given",
        "shows_thoughts",
        "text",
    )

    def __init__(self, request: Json) -> None:
        self.raw_config = orjson.dumps(get(request, "generationConfig") or {})
        config = _read(self.raw_config)
        self.text = _target(request.get("contents"))
        tools = request.get("tools") or ()
        self.grounded = any(get(tool, "googleSearch") is not None for tool in tools)
        self.schema_given = config.make is not None
        self.make = config.make or _from_prompt(request, is_json=config.is_json)
        self.make_one = config.make_one
        self.rows = rows_of(request.get("contents")) if config.make_one else {}
        self.most_tokens = config.most_tokens
        self.shows_thoughts = config.shows_thoughts

    def answer(self, passage: Passage) -> str:
        """Return the answer's text: JSON in the wanted shape, or a sentence."""
        if self.make is None:
            return passage.sentence()
        return orjson.dumps(self.make(passage)).decode()


def _target(contents: Json | list[Json] | None) -> str:
    several = [contents] if isinstance(contents, Mapping) else contents or []
    users = [c for c in several if c.get("role", "user") == "user"]
    found = [part["text"] for c in users for part in c.get("parts") or () if part.get("text")]
    return found[-1] if found else ""


def _from_prompt(request: Json, *, is_json: bool) -> Make | None:
    found = _found(texts(get(request, "systemInstruction"))) or _found(
        texts(request.get("contents"))
    )
    if found is None and is_json:
        return compile_schema({"type": "object", "properties": {"answer": {"type": "string"}}})
    return found
