"""What Postgres has against a row: whether it is the row's own fault, and a sentence that says so.

Nothing is read out of the words of a message: they are in the language of the server.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from tasks.adapters.catalog import Column
from tasks.adapters.tables import Tables
from tasks.core.backfill import Record

# Data, integrity, a limit such as an index's, and what a trigger raises.
_CLASSES = ("22", "23", "54", "P0")
_NO_RIGHT = "42501"
_BY_ROW_SECURITY = "ExecWithCheckOptions"
# "COPY songs, line 3, column name: ..." and the same in other languages.
_COLUMN = re.compile(r"^COPY [^,]+, \S+ \d+, \S+ ([^:]+?) ?:", re.MULTILINE)
# What a key's fault says besides, which is short; of a check it would be the whole row.
_KEYS = ("23503", "23505", "23P01")
_LONGEST = 500


class Refusal(NamedTuple):
    """Why a table refuses a target's rows, or `records` makes none; those alike have one `key`."""

    key: str
    sentence: str
    table: str


def is_of_a_row(error: psycopg.Error) -> bool:
    """Return whether a row is at fault; any other error would befall every row."""
    state = error.sqlstate
    if state is None:  # a value that the driver cannot send
        return isinstance(error, psycopg.DataError)
    by_policy = state == _NO_RIGHT and error.diag.source_function == _BY_ROW_SECURITY
    return state[:2] in _CLASSES or by_policy


def refusal(error: psycopg.Error, here: Tables, records: Sequence[Record]) -> Refusal:
    """Return why some records of one target are refused, as a person reads it."""
    column = column_of(error, here)
    constraint = error.diag.constraint_name
    named = [f"constraint {constraint}"] if constraint else []
    if column:
        named.append(f"column {column.name} ({column.type_name}){_length(column, here, records)}")
    where = ", ".join(named)
    sentence = f"{where}: {message(error)}" if where else message(error)
    place = constraint or (column.name if column else "")
    key = f"{error.sqlstate} {place}"
    return Refusal(key, sentence[:_LONGEST], here.target.table_name)


def vanished(here: Tables) -> Refusal:
    """Return what is wrong with rows that were taken without a word, and are not there."""
    sentence = "the rows were taken without a word and none stands: a trigger or rule drops them"
    return Refusal("vanished", sentence, here.target.table_name)


def message(error: psycopg.Error) -> str:
    """Return Postgres's own words, with its code."""
    said = (error.diag.message_primary or str(error)).rstrip(".")
    if error.sqlstate in _KEYS and error.diag.message_detail:
        said += f", {error.diag.message_detail.rstrip('.')}"
    return f"{said} ({error.sqlstate})" if error.sqlstate else said


def column_of(error: psycopg.Error, here: Tables) -> Column | None:
    """Return the column that an error is about, where it says so."""
    found = _COLUMN.search(error.diag.context or "")
    name = error.diag.column_name or (found[1] if found else "")
    return here.target.columns.get(name)


def _length(column: Column, here: Tables, records: Sequence[Record]) -> str:
    """Return how long the longest of the records' texts for a column is."""
    texts = [
        value
        for record in records
        for name, value in record.items()
        if here.column_name(name) == column.name and isinstance(value, str)
    ]
    return f", {max(map(len, texts)):,} characters" if texts else ""
