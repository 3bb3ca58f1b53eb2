"""Answers as they are kept for good: a block of them, compressed, and read again one by one."""

import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from tasks.core.responses import Response

MOST_IN_BLOCK = 250
"""So many answers share a block: the more, the smaller each, and the more is read to see one."""

_FIELDS = ("text", "finish_reason", "block_reason", "model_version", "error", "grounding_metadata")


def pack(responses: Sequence[Response]) -> bytes:
    """Return a block's payload; what a request used is in the ledger, and vectors are beside it."""
    kept = [[getattr(response, name) for name in _FIELDS] for response in responses]
    return zlib.compress(orjson.dumps(kept), 6)


def unpack(payload: bytes) -> list[Response]:
    """Return a block's answers in their places, without keys."""
    return [_response(kept) for kept in orjson.loads(zlib.decompress(payload))]


def _response(kept: list[Any]) -> Response:
    said = dict(zip(_FIELDS, kept, strict=True))
    error = said.pop("error")
    return Response("", **said, error=(int(error[0]), str(error[1])) if error else None)
