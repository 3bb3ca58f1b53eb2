"""Requests that ask about several rows: what they ask, and each row answered as it would be alone.

A part of the message is a row below its id in brackets; the answer is a list of objects with the
id, the row's first words and an answer of the shape that one row's has.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import UUID

import orjson

from deployments.local.emulator.answers import Make
from deployments.local.emulator.passage import Passage

Json = Mapping[str, Any]
ROW = re.compile(r"\[(\w+)\]\n(.*?)\n*", re.DOTALL)
WORDS = 8


def schema_of_one(schema: Json | None) -> Json | None:
    """Return the schema of one row's answer; None where a schema is of a single answer."""
    said: Any = schema or {}
    items = said.get("properties", {}).get("rows", {}).get("items", {})
    fields = items.get("properties", {})
    return fields["answer"] if set(fields) == {"id", "begins", "answer"} else None


def rows_of(contents: list[Json] | Json | None) -> dict[str, str]:
    """Return the rows of a message by their ids."""
    several = [contents] if isinstance(contents, Mapping) else contents or []
    parts = [part.get("text") or "" for each in several for part in each.get("parts") or ()]
    return {found[1]: found[2] for part in parts if (found := ROW.fullmatch(part))}


def answered(  # noqa: PLR0913, PLR0917 - what is asked, and the chance of it
    make: Make, rows: Mapping[str, str], key: str, asked_before: int, random: Random, trouble: float
) -> str:
    """Return one answer about all rows."""
    said = []
    for own, (name, text) in zip(_keys(key, len(rows)), rows.items(), strict=True):
        seed_by(random, own, asked_before)
        answer = make(Passage(text, random, trouble))
        said.append({"id": name, "begins": " ".join(text.split()[:WORDS]), "answer": answer})
    return orjson.dumps({"rows": said}).decode()


def seed_by(random: Random, key: str, asked_before: int) -> None:
    """Let chance be the same whenever a key is asked so often."""
    seed = blake2b(f"{key}:{asked_before}".encode(), digest_size=8).digest()
    random.seed(int.from_bytes(seed, "little"))


def _keys(key: str, rows: int) -> Iterator[str]:
    """Yield the keys that the rows would have alone, which a request's key tells."""
    parts = key.split(".")
    for place in range(rows):
        try:
            yield str(UUID(bytes=urlsafe_b64decode(f"{parts[place]}==")))
        except (ValueError, IndexError):
            yield f"{key}:{place}"
