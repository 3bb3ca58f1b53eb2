"""What an answer looks like, without what it says: paths, kinds, and words of the protocol."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from tasks.core.refusals import is_about_size, named_lines

Shape = dict[str, list[str]]
"""The kinds that were seen at each path; `[]` stands for any item of an array."""

# STOP, BATCH_STATE_SUCCEEDED, INVALID_ARGUMENT: words that code decides by.
_WORD = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_FORMS = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "digits in a text": re.compile(r"0|[1-9]\d*"),
}
_RESOURCE = re.compile(r"(models|batches|files)/(batch-)?")
_TOLD = {"@type", "role", "mimeType", "supportedGenerationMethods"}
_UNTOLD = {"text", "displayName", "responseId", "key", "title", "domain", "webSearchQueries"}
"""Keys whose values are told as they are, and keys whose values never are."""


class Difference(NamedTuple):
    """One path at which two sides differ; an empty side has nothing there."""

    path: str
    service: list[str]
    emulator: list[str]


def shape(value: object) -> Shape:
    """Return the shape of a JSON value."""
    found: dict[str, set[str]] = {}
    for path, kind in _walk(value, "body", ""):
        found.setdefault(path, set()).add(kind)
    return {path: sorted(kinds) for path, kinds in sorted(found.items())}


def merged(one: Shape, other: Shape) -> Shape:
    """Return what either of two shapes has."""
    return {
        path: sorted({*one.get(path, ()), *other.get(path, ())}) for path in sorted({*one, *other})
    }


def differences(service: Shape, emulator: Shape) -> list[Difference]:
    """Return where two shapes differ; below a path that one side lacks nothing is listed."""
    return [
        Difference(path.replace(".[]", "[]"), service.get(path, []), emulator.get(path, []))
        for path in sorted({*service, *emulator})
        if service.get(path) != emulator.get(path) and _parent_is_there(path, service, emulator)
    ]


def _parent_is_there(path: str, *sides: Shape) -> bool:
    parent = path.rpartition(".")[0]
    return not any(parent in side for side in sides) or all(parent in side for side in sides)


def _walk(value: object, path: str, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield path, "object"
        for name, part in value.items():
            yield from _walk(part, f"{path}.{name}", name)
    elif isinstance(value, list):
        yield path, "array"
        for part in value:
            yield from _walk(part, f"{path}.[]", key)
    else:
        yield path, _kind(value, key)


def _kind(value: object, key: str) -> str:
    if isinstance(value, str):
        return _kind_of_text(value, key)
    if value is None or isinstance(value, bool) or key == "code":
        return str(value)
    return "number"


def _kind_of_text(value: str, key: str) -> str:
    if key in _TOLD:
        return value
    if key == "message":
        return _reading(value)
    if key in _UNTOLD:
        return "JSON in a text" if key == "text" and _is_json(value) else "text"
    if resource := _RESOURCE.match(value):
        return f"{resource[0]}…"
    return next((kind for kind, form in _FORMS.items() if form.fullmatch(value)), _word(value))


def _word(value: str) -> str:
    return value if _WORD.fullmatch(value) else "text"


def _reading(message: str) -> str:
    """Return what the product reads in a refusal's words."""
    if lines := named_lines(message):
        return f"text naming lines {', '.join(map(str, lines))}"
    about = [word for word in ("file", "model") if word in message.lower()]
    if is_about_size(400, message):
        about.append("size")
    return f"text about {' and '.join(about)}" if about else "text"


def _is_json(text: str) -> bool:
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict | list)
