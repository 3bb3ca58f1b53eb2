"""Values as the columns of the user's tables take them: each by its column's own input."""

import json
from collections.abc import Callable, Sequence

import orjson

from tasks.adapters.catalog import Column
from tasks.core.salvage import without_lone_surrogates

Convert = Callable[[object], object]

_INTEGERS = ("int2", "int4", "int8")
_FLOATS = ("float4", "float8", "numeric")
_JSON = ("json", "jsonb")
_TEXTS = ("text", "varchar", "bpchar", "citext")


def converter(column: Column) -> Convert:
    """Return what makes a value fit for a column; Postgres reads the rest by the column's type."""
    if column.is_array:
        return _listed(column.base.removeprefix("_"))
    return _single(column.base)


def _single(base: str) -> Convert:
    if base in _JSON:
        return _json
    if base in _INTEGERS:
        return _whole
    return _hexadecimal if base == "bytea" else _plain


def _listed(base: str) -> Convert:
    """Return what writes a list as an array; a list in it is JSON where elements are texts."""
    element = _single(base)
    is_nested = base not in (*_TEXTS, *_JSON)

    def convert(value: object) -> object:
        value = decoded(value)
        if not isinstance(value, list | tuple):
            return _plain(value)
        if base in _FLOATS and value and all(type(each) is float for each in value):
            return f"{{{orjson.dumps(value).decode()[1:-1]}}}"  # a vector is long
        return f"{{{','.join(map(member, value))}}}"

    def member(value: object) -> str:
        if is_nested and isinstance(value, list | tuple):
            return str(convert(value))
        fit = element(value)
        return "NULL" if fit is None else quoted(str(fit))

    return convert


def quoted(text: str) -> str:
    """Return a text as one element of a Postgres array literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_literal(ids: Sequence[str]) -> str:
    """Return a Postgres array literal; without a type it fits columns of any type."""
    return "{" + ",".join(map(quoted, ids)) + "}"


def decoded(value: object) -> object:
    """Return a value whose JSON was ready as what it is."""
    if not isinstance(value, bytes):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:  # half of a surrogate pair
        return json.loads(value)


def _json(value: object) -> object:
    """Return JSON as text; bytes are JSON already."""
    if value is None:
        return None
    return _checked(value) if isinstance(value, bytes) else json_text(value)


def _checked(encoded: bytes) -> str:
    """Return JSON that is ready; what jsonb cannot hold hides in escapes alone."""
    if b"\\u" in encoded:
        return json_text(json.loads(encoded))
    return encoded.decode("utf-8", "replace")


def _whole(value: object) -> object:
    """Return a number without a fraction as an integer; any other is for Postgres to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else _plain(value)


def _hexadecimal(value: object) -> object:
    """Return bytes, or a text's bytes, so that no backslash in them means anything."""
    plain = value if isinstance(value, bytes) else _plain(value)
    if plain is None:
        return None
    return "\\x" + (plain if isinstance(plain, bytes) else str(plain).encode()).hex()


def _plain(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return json_text(value)
    return storable(value.decode("utf-8", "replace")) if isinstance(value, bytes) else value


def json_text(value: object) -> str:
    """Return a value as JSON that jsonb can hold."""
    try:
        encoded = orjson.dumps(value, default=str)
    except orjson.JSONEncodeError:  # lone surrogates, integers over 64 bits
        return json.dumps(_cleaned(value), ensure_ascii=False, default=str)
    if b"\\u0000" in encoded:
        encoded = orjson.dumps(_cleaned(value), default=str)
    return encoded.decode()


def storable(text: str) -> str:
    """Return a text with U+FFFD for what Postgres cannot hold: NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return without_lone_surrogates(text).replace("\0", "\ufffd")


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(each) for key, each in value.items()}
    return value
