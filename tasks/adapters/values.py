"""Values as COPY takes them: by the type of the column that they go into."""

from collections.abc import Callable

import orjson

from tasks.adapters.catalog import Column
from tasks.core.salvage import without_lone_surrogates

Convert = Callable[[object], object]


def converter(column: Column) -> Convert:
    """Return what makes a value fit for a column; Postgres reads the rest by the column's type."""
    if column.is_array:
        return _listed
    return _json if column.is_json else _plain


def _listed(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _plain(value)


def _json(value: object) -> object:
    """Return JSON as text; bytes are JSON already."""
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else json_text(value)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple | dict):
        return json_text(value)
    return value.decode() if isinstance(value, bytes) else value


def json_text(value: object) -> str:
    """Return a value as JSON that jsonb can hold."""
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:  # lone surrogates
        return orjson.dumps(_cleaned(value)).decode()
    if b"\\u0000" in encoded:
        encoded = orjson.dumps(_cleaned(value))
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
