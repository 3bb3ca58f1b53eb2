"""What a model's JSON schema says of each of an answer's values."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_DEEPEST = 8  # a schema that contains itself is left to the model from there


class Shape(NamedTuple):
    """What a schema says of one value; `path` is what people call the place.

    On the diet (wire.py) a field goes by a short name, and `said` in its schema is its own.
    """

    path: str
    kind: str
    schema: Mapping[str, Any]
    is_nullable: bool = False
    fields: Mapping[str, "Shape"] = {}
    required: frozenset[str] = frozenset()
    item: "Shape | None" = None
    words: Mapping[str, str] = {}
    is_top: bool = False


def shape_of(
    schema: Mapping[str, Any], known: Mapping[str, Any], path: str = "", depth: int = 0
) -> Shape:
    """Return a schema's shape; what a response schema cannot say is left to the model."""
    schema, is_nullable = _plain(schema, known)
    kind = str(schema.get("type", "")) if depth < _DEEPEST else ""
    shape = Shape(path, kind, schema, is_nullable, is_top=depth == 1)
    if kind == "array":
        return shape._replace(item=shape_of(schema.get("items", {}), known, path, depth + 1))
    if kind == "object":
        fields = {
            name: shape_of(each, known, f"{path}.{each.get('said', name)}".lstrip("."), depth + 1)
            for name, each in schema.get("properties", {}).items()
        }
        return shape._replace(fields=fields, required=frozenset(schema.get("required", ())))
    words = [schema["const"]] if "const" in schema else schema.get("enum", ())
    return shape._replace(words=_bykey_of(words)) if kind == "string" else shape


def _plain(schema: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return a schema without references and without null, and whether null is a value."""
    is_nullable = False
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = {**known[schema["$ref"].rsplit("/", 1)[-1]], **_without(schema, "$ref")}
            continue
        real = [each for each in schema["anyOf"] if each.get("type") != "null"]
        if len(real) != 1:
            return {}, False
        is_nullable |= len(schema["anyOf"]) > 1
        schema = {**real[0], **_without(schema, "anyOf")}
    return schema, is_nullable


def _without(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}


def _bykey_of(words: Sequence[str]) -> dict[str, str]:
    """Return a closed vocabulary by what is the same in other cases and with other blanks."""
    found: dict[str, str] = {}
    for word in words:
        key = key_of(word)
        found[key] = "" if key in found else word  # two of one key: which is meant is not plain
    return {key: word for key, word in found.items() if word}


def key_of(word: str) -> str:
    """Return what is the same of a word in another case and with other blanks."""
    return re.sub(r"[\s_-]+", "", word).casefold()
