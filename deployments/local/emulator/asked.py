"""What a request asks: its text, its model's limits and the shape it wants back."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from deployments.local.emulator.answers import Make, compile_schema
from deployments.local.emulator.passage import Passage
from deployments.local.emulator.spelling import get

Json = Mapping[str, Any]
FENCED = re.compile(r"```(?:json|jsonc)?\s*\n(.*?)```", re.DOTALL)


@lru_cache(maxsize=256)
def _compiled(schema: bytes) -> Make:
    return compile_schema(orjson.loads(schema))


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

    __slots__ = ("config", "grounded", "make", "schema_given", "text")

    def __init__(self, request: Json) -> None:
        self.config: Json = get(request, "generationConfig") or {}
        self.text = _target(request.get("contents"))
        tools = request.get("tools") or ()
        self.grounded = any(get(tool, "googleSearch") is not None for tool in tools)
        schema = get(self.config, "responseSchema") or get(self.config, "responseJsonSchema")
        schema = schema or get(self.config, "_responseJsonSchema")
        self.schema_given = bool(schema)
        self.make: Make | None = (
            _compiled(orjson.dumps(schema)) if schema else _from_prompt(request, self.config)
        )

    @property
    def most_tokens(self) -> int | None:
        """Return maxOutputTokens, or None."""
        most = get(self.config, "maxOutputTokens")
        return int(most) if most is not None else None

    @property
    def thinks(self) -> bool:
        """Return whether thinking is left on."""
        thinking = get(self.config, "thinkingConfig") or {}
        return get(thinking, "thinkingBudget") not in (0, "0")

    @property
    def shows_thoughts(self) -> bool:
        """Return whether thought parts were asked for."""
        return bool(get(get(self.config, "thinkingConfig") or {}, "includeThoughts"))

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


def _from_prompt(request: Json, config: Json) -> Make | None:
    found = _found(texts(get(request, "systemInstruction"))) or _found(
        texts(request.get("contents"))
    )
    if found is None and get(config, "responseMimeType") == "application/json":
        return compile_schema({"type": "object", "properties": {"answer": {"type": "string"}}})
    return found
