"""Names of things: tables as a person writes them, concepts as they meet across versions."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_TABLE = re.compile(r'^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$')
_SIMPLE = re.compile("[a-z_][a-z0-9_]*")
_KEPT = "+#"
"""Signs that tell names apart: C, C++ and C#."""


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


_Q = '"'


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


@lru_cache(maxsize=8192)
def snake_case(name: str) -> str:
    """Return a name in lower case, its words joined by underscores; "" for one without letters.

    Letters, digits and marks of every script stay, and + and #, so that C++ is not C.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    kept = (mark if _belongs(mark) else " " for mark in folded)
    return "_".join("".join(kept).split())


def _belongs(mark: str) -> bool:
    return mark in _KEPT or unicodedata.category(mark)[0] in "LMN"
