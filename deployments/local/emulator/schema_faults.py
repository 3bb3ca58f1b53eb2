"""What is wrong with a response schema whose fields are all known."""

from collections.abc import Iterator, Mapping
from typing import Any

from deployments.local.emulator.answers import kind_of
from deployments.local.emulator.spelling import get

Json = Mapping[str, Any]
ROOT = "GenerateContentRequest.generation_config.response_schema"


def of(schema: Json) -> list[str]:
    """Return the faults of a responseSchema, each with its place."""
    return [fault for where, part in _parts(schema, ROOT) for fault in _faults(part, where)]


def limits_objects(schema: Json) -> bool:
    """Return whether a schema limits the length of an array of objects."""
    return any(
        get(part, "maxItems") is not None and kind_of(part.get("items") or {}) == "object"
        for _, part in _parts(schema, "")
    )


def _parts(schema: Json, where: str) -> Iterator[tuple[str, Json]]:
    if not schema or not isinstance(schema, Mapping):
        return  # JSON Schema has true and false
    yield where, schema
    for name, part in ((schema.get("properties") or {}) | (schema.get("$defs") or {})).items():
        yield from _parts(part, f'{where}.properties["{name}"]')
    yield from _parts(schema.get("items") or {}, f"{where}.items")
    for at, part in enumerate(get(schema, "anyOf") or ()):
        yield from _parts(part, f"{where}.any_of[{at}]")


def _faults(schema: Json, where: str) -> Iterator[str]:
    kind, properties = kind_of(schema), schema.get("properties") or {}
    if kind == "object" and not properties:
        yield f"{where}.properties: should be non-empty for OBJECT type"
    if kind == "array" and not schema.get("items"):
        yield f"{where}.items: missing field."
    for at, name in enumerate(schema.get("required") or ()):
        if name not in properties:
            yield f"{where}.required[{at}]: property is not defined"
    for at, option in enumerate(schema.get("enum", ("any",)) or ("",)):
        if not option:
            yield f"{where}.enum[{at}]: cannot be empty"
