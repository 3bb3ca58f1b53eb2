"""A Pydantic model as Gemini's `responseSchema`, the subset of OpenAPI that the service accepts.

The service answers a schema it does not know with a bare 400 for the whole request file, and a
schema that says less than the model pays for answers that are refused afterwards. So whatever the
subset cannot say is a ValueError here, before any money is spent.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

# Said by the subset in the same words (discovery document of v1beta, schema `Schema`).
_SAME = ("description", "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength")
_SAME_TOO = ("pattern", "nullable")
# Known, and not worth saying: titles repeat names, defaults are ours, `false` is the service's way.
_LEFT_OUT = {"title", "default", "examples", "additionalProperties"}
_READ = {"type", "enum", "const", "format", "items", "properties", "required"}
_TYPES = {"string", "integer", "number", "boolean", "array", "object"}
_FORMATS = {"date-time"}

Json = Mapping[str, Any]


def response_schema(model: type[BaseModel]) -> dict[str, object]:
    """Return the model's `responseSchema`: $defs inlined, types in upper case, order kept.

    Raises ValueError, naming the field, for what the subset cannot say: dictionaries, recursion,
    unions other than Optional, tuples, sets, exclusive bounds, formats other than date-time.
    """
    whole = model.model_json_schema()
    return _Converter(whole.get("$defs", {})).convert(whole, model.__name__, ())


class _Converter:
    """One conversion: the definitions to inline, and the way to the field for messages."""

    def __init__(self, definitions: Json) -> None:
        self._definitions = definitions

    def convert(self, schema: Json, field: str, inside: tuple[str, ...]) -> dict[str, object]:
        """Return one (sub)schema in the service's words."""
        schema, inside = self._resolved(_optional_unwrapped(schema, field), field, inside)
        _refuse_unknown(schema, field)
        said: dict[str, object] = {"type": _type(schema, field)}
        said |= {word: schema[word] for word in _SAME + _SAME_TOO if word in schema}
        said |= _choices(schema, field)
        if said["type"] == "OBJECT":
            said |= self._properties(schema, field, inside)
        if said["type"] == "ARRAY":
            said["items"] = self.convert(schema.get("items", {}), f"{field}[]", inside)
        return said

    def _resolved(
        self, schema: Json, field: str, inside: tuple[str, ...]
    ) -> tuple[Json, tuple[str, ...]]:
        while (reference := schema.get("$ref")) is not None:
            name = reference.rsplit("/", 1)[-1]
            if name in inside:
                raise ValueError(f"{field} contains itself; a response schema cannot recurse")
            inside = (*inside, name)
            own_words = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._definitions[name], **own_words}
        return schema, inside

    def _properties(self, schema: Json, field: str, inside: tuple[str, ...]) -> dict[str, object]:
        properties = schema.get("properties")
        if not properties:
            raise ValueError(f"{field} is an object without named fields; use a model with fields")
        said: dict[str, object] = {
            "properties": {
                name: self.convert(value, f"{field}.{name}", inside)
                for name, value in properties.items()
            },
            "propertyOrdering": list(properties),
        }
        if required := schema.get("required"):
            said["required"] = list(required)
        return said


def _optional_unwrapped(schema: Json, field: str) -> Json:
    if "anyOf" not in schema:
        return schema
    real = [option for option in schema["anyOf"] if option.get("type") != "null"]
    if len(real) != 1 or len(real) == len(schema["anyOf"]):
        raise ValueError(f"{field} is a union; a response schema can only say Optional")
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**real[0], **rest, "nullable": True}


def _refuse_unknown(schema: Json, field: str) -> None:
    known = {*_SAME, *_SAME_TOO, *_LEFT_OUT, *_READ, "$defs"}
    if unknown := set(schema) - known:
        raise ValueError(f"{field} uses {_listed(unknown)}, which a response schema cannot say")
    if schema.get("additionalProperties", False) not in (True, False):
        raise ValueError(f"{field} is a dictionary; use a list of models with a key field")
    if (kind := schema.get("format")) is not None and kind not in _FORMATS:
        raise ValueError(f"{field} has the format {kind}, which a response schema cannot say")


def _type(schema: Json, field: str) -> str:
    kind = schema.get("type")
    if kind not in _TYPES:
        raise ValueError(f"{field} has no single type that a response schema can say; annotate it")
    return str(kind).upper()


def _choices(schema: Json, field: str) -> dict[str, object]:
    said: dict[str, object] = {"format": schema["format"]} if "format" in schema else {}
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is None:
        return said
    if not all(isinstance(choice, str) for choice in choices):
        raise ValueError(f"{field} is an enum of other things than strings; use strings")
    return {**said, "enum": list(choices)}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
