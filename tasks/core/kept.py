"""Answers as they are kept for good: a block of them, compressed, and read again one by one."""

import zlib
from collections.abc import Sequence
from typing import Any

import orjson
import zstandard

from tasks.core.responses import Response

MOST_IN_BLOCK = 250
"""So many answers share a block: the more, the smaller each, and the more is read to see one."""

LEVEL = 3
"""Of compression: 6 saves another 8 % of the bytes for almost three times the time."""

_ZSTD = b"\x28\xb5\x2f\xfd"
"""What every frame begins with (RFC 8878, 3.1.1); blocks of earlier releases are zlib's."""

_FIELDS = ("text", "finish_reason", "block_reason", "model_version", "error", "grounding_metadata")


def pack(responses: Sequence[Response]) -> bytes:
    """Return a block's payload; what a request used is in the ledger, and vectors are beside it."""
    said = orjson.dumps([as_kept(response) for response in responses])
    return zstandard.ZstdCompressor(level=LEVEL).compress(said)


def unpack(payload: bytes) -> list[Response]:
    """Return a block's answers in their places, without keys."""
    expand = zstandard.decompress if payload.startswith(_ZSTD) else zlib.decompress
    return [as_response(kept) for kept in orjson.loads(expand(payload))]


def only(payload: bytes, places: Sequence[int]) -> bytes:
    """Return a block's payload with nothing in it but some places; all others are empty."""
    nothing = Response("")
    held = set(places)
    return pack([each if at in held else nothing for at, each in enumerate(unpack(payload))])


def as_kept(response: Response) -> list[Any]:
    """Return what is kept of a response, as plain values."""
    return [getattr(response, name) for name in _FIELDS]


def as_response(kept: Sequence[Any]) -> Response:
    """Return a response as it was kept, without its key."""
    said = dict(zip(_FIELDS, kept, strict=True))
    error = said.pop("error")
    return Response("", **said, error=(int(error[0]), str(error[1])) if error else None)
