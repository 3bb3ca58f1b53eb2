"""Rows in Postgres's binary COPY format, packed by the target columns' own types.

Format: PostgreSQL documentation, COPY, "Binary Format".
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import call
from typing import cast
from uuid import UUID

import orjson

from tasks.core.salvage import without_lone_surrogates

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Pack = Callable[[object], bytes]


class UnsupportedColumnError(ValueError):
    """A target column has a type that no record can be written to."""


def packer(oids: Sequence[int]) -> Callable[[Sequence[object]], bytes]:
    """Return a function from a row to its bytes, for columns of these type oids.

    Raises UnsupportedColumnError for a type that it does not know.
    """
    try:
        packs = [_PACKS[oid] for oid in oids]
    except KeyError as error:
        message = (
            f"Columns of type oid {error} cannot be written; cast them in a view or change them."
        )
        raise UnsupportedColumnError(message) from None
    forgetful = [getattr(pack, "__wrapped__", pack) for pack in packs]
    start = struct.pack("!h", len(packs))

    def pack(row: Sequence[object]) -> bytes:
        if len(row) != len(packs):
            raise ValueError(f"A row has {len(row)} values for {len(packs)} columns.")
        try:
            return start + b"".join(map(call, packs, row))
        except TypeError:  # a value that cannot be remembered, or not be packed either
            return start + b"".join(map(call, forgetful, row))

    return pack


def _or_null(pack: Pack) -> Pack:
    return lambda value: _NULL if value is None else pack(value)


def _repeated(pack: Pack) -> Pack:
    """Return the same packer, with a memory: much is the same in all rows of a target or slice."""
    return cast("Pack", lru_cache(maxsize=256, typed=True)(pack))


def _text(value: object) -> bytes:
    """Pack text; what Postgres cannot hold (NUL, lone surrogates) becomes U+FFFD."""
    if value is None:
        return _NULL
    text = str(value)
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        payload = text.encode()
    except UnicodeEncodeError:
        payload = without_lone_surrogates(text).encode()
    return len(payload).to_bytes(4) + payload


def _uuid(value: object) -> bytes:
    raw = value.bytes if isinstance(value, UUID) else bytes.fromhex(str(value).replace("-", ""))
    return b"\x00\x00\x00\x10" + raw


def _json(value: object) -> bytes:
    """Pack JSON; bytes are JSON already."""
    payload = _encoded(value)
    return len(payload).to_bytes(4) + payload


def _jsonb(value: object) -> bytes:
    if value is None:
        return _NULL
    payload = value if type(value) is bytes else _encoded(value)
    return b"%b\x01%b" % ((len(payload) + 1).to_bytes(4), payload)


def _encoded(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        payload = orjson.dumps(value)
    except orjson.JSONEncodeError:  # lone surrogates
        return orjson.dumps(_clean(value))
    return orjson.dumps(_clean(value)) if b"\\u0000" in payload else payload


def _clean_text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return without_lone_surrogates(text).replace("\0", "\ufffd")


def _clean(value: object) -> object:
    """Return a value with every text in it fit for Postgres."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _number(code: str) -> Pack:
    layout = struct.Struct(f"!i{code}")
    size = layout.size - 4
    convert = float if code in "fd" else int

    def pack(value: object) -> bytes:
        if type(value) is convert:
            return layout.pack(size, value)
        if value is None:
            return _NULL
        if not isinstance(value, int | float | Decimal | str):
            message = f"{value!r} is not a number"
            raise TypeError(message)
        return layout.pack(size, convert(value))

    return pack


def _boolean(value: object) -> bytes:
    return b"\x00\x00\x00\x01\x01" if value else b"\x00\x00\x00\x01\x00"


def _timestamptz(value: object) -> bytes:
    if not isinstance(value, datetime):
        message = f"{value!r} is not a time"
        raise TypeError(message)
    delta = value - _EPOCH
    micros = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return struct.pack("!iq", 8, micros)


_PACKS: dict[int, Pack] = {
    16: _or_null(_boolean),
    20: _number("q"),
    21: _number("h"),
    23: _number("i"),
    25: _repeated(_text),
    114: _or_null(_json),
    700: _number("f"),
    701: _number("d"),
    1043: _repeated(_text),
    1184: _repeated(_or_null(_timestamptz)),
    2950: _repeated(_or_null(_uuid)),
    3802: _jsonb,
}
"""By type oid (pg_type.dat): bool, int8, int2, int4, text, json, float4, float8, varchar,
timestamptz, uuid, jsonb."""
