"""Who is who: content-derived ids for answers, slices and jobs; names as people write them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from tasks.core.unseen import without_needless, without_unseen

_TABLE = re.compile(r'^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$')
_SIMPLE = re.compile("[a-z_][a-z0-9_]*")
_KEPT = "+#"
"""Signs that tell names apart: C, C++ and C#."""
_Q = '"'


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 hex digest of length-prefixed parts, so that ("ab","c") != ("a","bc").

    The prefix is the length in UTF-8 bytes and a colon; sql/migrations does the same.
    """
    raws = [part.encode() if isinstance(part, str) else part for part in parts]
    return hashlib.sha256(b"".join([b"%d:%b" % (len(raw), raw) for raw in raws])).hexdigest()


def content_hash(text: str) -> UUID:
    """Return the first 128 bits of the SHA-256 of a target's text."""
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


def doc_id(backfill: str, extractor_version: str, target_id: str, content: UUID) -> UUID:
    """Return the identity of one answer: 128 bits over everything that the answer depends on."""
    return UUID(digest((backfill, extractor_version, target_id, str(content)))[:32])


def question_id(backfill: str, extractor_version: str, content: UUID) -> UUID:
    """Return the identity of a question: what is asked, without whom it is asked for."""
    return UUID(digest((backfill, extractor_version, str(content)))[:32])


def display_name(slice_id: str, input_digest: str) -> str:
    """Return the name a slice's batch job goes by, the same however often it is computed."""
    return f"bf-{slice_id}-{input_digest[:16]}"


def lock_key(*parts: str) -> int:
    """Return a signed 64-bit key for a Postgres advisory lock."""
    return int.from_bytes(bytes.fromhex(digest(parts)[:16]), signed=True)


class TableName(NamedTuple):
    """A table's name, perhaps with its schema's, in the letters that the database has."""

    schema: str | None
    name: str

    @property
    def quoted(self) -> str:
        """Return the name as Postgres reads it with every letter kept."""
        return ".".join(f'"{part.replace(_Q, _Q * 2)}"' for part in self if part is not None)

    @property
    def shown(self) -> str:
        """Return the name as people read it."""
        return ".".join(part for part in self if part is not None)


def table_name(text: str) -> TableName:
    """Return a name of the form `table`, `schema.table` or `schema."Table"`; raise ValueError."""
    found = _TABLE.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no name of a table: write table or schema.table.")
    schema, name = found.groups()
    return TableName(_bare(schema) if schema else None, _bare(name))


def written(schema: str, table: str) -> str:
    """Return a table's name as a person would write it in a statement."""
    parts = (table,) if schema == "public" else (schema, table)
    return ".".join(
        part if _SIMPLE.fullmatch(part) else TableName(None, part).quoted for part in parts
    )


def _bare(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.strip()


class _Words(dict[int, str | int | None]):
    """What a character of a name becomes: itself where it belongs to a word, else a blank."""

    def __missing__(self, code: int) -> str | int | None:
        mark = chr(code)
        belongs = mark in _KEPT or unicodedata.category(mark)[0] in "LMN"
        self[code] = code if belongs else " "
        return self[code]


_WORDS = _Words()


@lru_cache(maxsize=8192)
def snake_case(name: str) -> str:
    """Return a name in lower case, its words joined by underscores; "" for one without letters.

    Letters, digits and marks of every script stay, and + and #, so that C++ is not C.
    """
    if name.isascii():
        return "_".join(without_unseen(name).lower().translate(_WORDS).split())
    folded = unicodedata.normalize("NFKD", without_unseen(name)).casefold()
    composed = unicodedata.normalize("NFKC", folded)
    return "_".join(without_unseen(composed).translate(_WORDS).split())


def as_written(name: str) -> str:
    """Return a name in its own letters, composed, between single blanks; "" where none is seen.

    Joiners stay where letters or emoji look otherwise without them; a key is without any.
    """
    if name.isascii() and name.isprintable():
        return " ".join(name.split())
    composed = unicodedata.normalize("NFC", without_needless(unicodedata.normalize("NFC", name)))
    return " ".join(composed.split())


@lru_cache(maxsize=8192)
def same_name(name: str) -> str:
    """Return what is the same for names that differ in case and joiners only."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", without_unseen(name).casefold())


def names(said: Iterable[str]) -> list[str]:
    """Return names as they are written, each once, in their order; what is no name is left out."""
    found: dict[str, str] = {}
    for same, shown in map(_named, said):
        found.setdefault(same, shown)
    found.pop("", None)
    return list(found.values())


@lru_cache(maxsize=8192)
def _named(name: str) -> tuple[str, str]:
    shown = as_written(name)
    return same_name(shown), shown
