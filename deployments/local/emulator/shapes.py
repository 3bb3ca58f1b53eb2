"""Which fields the service knows: request bodies against the published field names and types."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from deployments.local.emulator.spelling import camel

Check = Callable[[object], None]
# Field names, types, enums and references of the public discovery document, and nothing else.
SHAPES: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("shapes.json").read_text())
OPENING = {str: '"', list: "[", dict: "{", bool: "t", int: "0", float: "0"}
PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "object": (dict,),
}


class ShapeError(Exception):
    """A value that does not fit, with the word to look for in the source line."""

    def __init__(self, message: str, near: str = "") -> None:
        super().__init__(message)
        self.near = near


def _unexpected(value: object, wanted: str) -> ShapeError:
    found = OPENING.get(type(value), "n")
    return ShapeError(f"unexpected character: '{found}'; expected '{wanted}'")


def _plain(kind: str) -> Check:
    types = PLAIN[kind]

    def check(value: object) -> None:
        wrong_boolean = isinstance(value, bool) and kind != "boolean"
        if not isinstance(value, types) or wrong_boolean:
            raise _unexpected(value, {"string": '"', "object": "{"}.get(kind, kind))

    return check


def _integer(value: object) -> None:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise _unexpected(value, "integer")


def _enum(names: list[str]) -> Check:
    allowed = frozenset(names)

    def check(value: object) -> None:
        if value not in allowed and not isinstance(value, int):
            raise ShapeError(f"invalid enum value: {value!r}", str(value))

    return check


def _array(item: Any) -> Check:  # noqa: ANN401 - a shape is JSON
    inner = checker(item)

    def check(value: object) -> None:
        if not isinstance(value, list):
            raise _unexpected(value, "[")
        for element in value:
            inner(element)

    return check


def _map(item: Any) -> Check:  # noqa: ANN401 - a shape is JSON
    inner = checker(item)

    def check(value: object) -> None:
        if not isinstance(value, dict):
            raise _unexpected(value, "{")
        for element in value.values():
            inner(element)

    return check


@cache
def message(name: str) -> Check:
    """Return the check of one message type by its name."""
    fields = SHAPES[name]
    checks: dict[str, Check] = {}

    def check(value: object) -> None:
        if not isinstance(value, dict):
            raise _unexpected(value, "{")
        for key, element in value.items():
            inner = checks.get(key) or _field(name, fields, key, checks)
            if element is not None:
                inner(element)

    return check


def _field(name: str, fields: dict[str, Any], key: str, checks: dict[str, Check]) -> Check:
    known = key if key in fields else camel(key)
    if known not in fields:
        raise ShapeError(f"no such field: '{key}'", key)
    return checks.setdefault(key, _alternative(name, known) or checker(fields[known]))


def _alternative(name: str, field: str) -> Check | None:
    # These enums are taken in either case.
    if (name, field) in (("Schema", "type"), ("ThinkingConfig", "thinkingLevel")):
        allowed = SHAPES[name][field]["enum"]
        return _enum([*allowed, *(word.lower() for word in allowed)])
    return None


def checker(shape: Any) -> Check:  # noqa: ANN401 - a shape is JSON
    """Return the check of a shape: a type, a reference, an array, an enum or a map."""
    if isinstance(shape, list):
        return _array(shape[0])
    if isinstance(shape, dict):
        return _enum(shape["enum"]) if "enum" in shape else _map(shape["map"])
    if shape.startswith("@"):
        return lambda value: message(shape[1:])(value)  # noqa: PLW0108 - Schema refers to itself
    if shape == "integer":
        return _integer
    return _plain(shape) if shape in PLAIN else lambda _: None
