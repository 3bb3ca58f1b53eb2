"""Made-up rows, written into every table as a run would, and taken back: what does not fit is said.

An example stands for no answer in particular: what a table has against its words or its id alone is
only told, because other answers may pass. What it has against their kind stops the run.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import get_args
from uuid import UUID

import psycopg

from tasks.adapters import catalog, refusals, rows, tables
from tasks.adapters.catalog import Column
from tasks.adapters.ledger import checkpoint
from tasks.adapters.postgres import Connection
from tasks.adapters.tables import Tables
from tasks.core.backfill import Record, Target
from tasks.core.example import different_records, vocabularies
from tasks.writing.project import MANY

CHECKPOINT_TABLE = "kb_migrations"
_COUNTED = 100_001
"""So many rows are counted, which is more than a narrow number holds."""
_NOTE = "A run says in a sentence or two what it did, and what a person has to do. " * 6
_Refused = tuple[psycopg.Error, Record]
_CUTTING = {"name": "63 bytes", "char": "one byte"}
"""Types that cut what is longer, and say nothing."""
_COARSE = 0.05
"""The share of a value below which its column's steps count as rounding: a price has cents."""
_SCALE = re.compile(r"numeric\(\d+,(-?\d+)\)")
_TEXTS = ("text", "varchar", "bpchar", "citext")
_TYPES = {
    bool: "boolean",
    int: "bigint",
    float: "double precision",
    bytes: "jsonb",
    dict: "jsonb",
    datetime: "timestamptz",
}
_ALIKE = ("22001", "23505", "23P01")


@dataclass
class Said:
    """What stops a run, and what a person should know of it."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def try_rows(connection: Connection, here: Tables) -> Said:
    """Return what the target's table has against made-up answers for rows that are there."""
    ids = _some_ids(connection, here, MANY)
    records = different_records(here.backfill)
    if not ids or not records:
        return Said()
    if cut := list(_cut(here, records)):
        return Said(cut)
    return _Trial(connection, here).run(ids, records)


def _some_ids(connection: Connection, here: Tables, most: int) -> list[str]:
    values = {**here.values(), "most": most}
    return [row["target_id"] for row in connection.execute(here.over_source("some_ids"), values)]


class _Trial:
    """Writes examples, each by itself, and takes them back."""

    def __init__(self, connection: Connection, here: Tables) -> None:
        self._connection = connection
        self._here = here
        self._stamp = tables.stamp(here.backfill, datetime.now(UTC))

    def run(self, ids: Sequence[str], records: Sequence[Record]) -> Said:
        said = Said()
        refused = [(error, record) for record in records if (error := self._try(ids[0], record))]
        of_kind = [each for each in refused if self._is_of_kind(each[0])]
        if of_kind:
            said.problems = self._each_once(of_kind, self._problem)
        elif refused and len(refused) == len(records) and not self._is_taken(ids[1:], records):
            where = said.problems if self._is_of_all(refused[0][0]) else said.notes
            where += [self._problem(*refused[0])]
        elif refused:
            said.notes = self._each_once(refused, self._note)
        return said

    def _each_once(
        self, refused: Sequence[_Refused], sentence: Callable[[psycopg.Error, Record], str]
    ) -> list[str]:
        """Return one sentence for the refusals that are alike."""
        alike: dict[str, str] = {}
        for error, record in refused:
            key = refusals.refusal(error, self._here, ()).key
            alike.setdefault(key, sentence(error, record))
        return list(alike.values())

    def _try(self, target_id: str, record: Record) -> psycopg.Error | None:
        """Return what the table has against one row; it is as it was."""
        of = Target(UUID(int=0), target_id, "")
        return attempt(
            self._connection,
            lambda: rows.write(self._connection, self._here, [(of, record)], self._stamp),
        )

    def _is_taken(self, ids: Sequence[str], records: Sequence[Record]) -> bool:
        return any(self._try(each, record) is None for each in ids for record in records)

    def _is_of_kind(self, error: psycopg.Error) -> bool:
        """Return whether a column cannot hold such values, or no row is at fault at all."""
        if not refusals.is_of_a_row(error):
            return True
        column = refusals.column_of(error, self._here)
        is_data = (error.sqlstate or "").startswith("22") and error.sqlstate not in _ALIKE
        return is_data and not (column and column.is_closed)

    def _is_of_all(self, error: psycopg.Error) -> bool:
        """Return whether it would be said of any answer: neither words nor keys are at fault."""
        state, name = error.sqlstate or "", error.diag.constraint_name or ""
        if state.startswith(("P0", "54")) or state in _ALIKE[1:]:
            return False
        about = catalog.columns_of_constraint(self._connection, self._here.target, name)
        if error.diag.datatype_name:
            about = {
                column.name
                for column in self._here.target.columns.values()
                if column.type_name.split(".")[-1].strip('"') == error.diag.datatype_name
            }
        if state == "23503":
            return self._here.target_id.name in about
        return self._here.target_id.name in about or not any(map(self._is_free, about))

    def _is_free(self, name: str) -> bool:
        """Return whether a column holds the model's own words, of which the examples are few."""
        here = self._here
        known = {here.column_name(each) for each in (*self._stamp, *vocabularies(here.backfill))}
        return name not in known and here.target.columns[name].base in _TEXTS

    def _note(self, error: psycopg.Error, record: Record) -> str:
        del record
        why = refusals.refusal(error, self._here, ()).sentence
        return (
            f"{self._here.target.table_name} refuses some answers that {self._here.backfill.name}"
            f" may get ({why}): they will end as bad, refused_by_database."
        )

    def _problem(self, error: psycopg.Error, record: Record) -> str:
        here, name = self._here, self._here.backfill.name
        column = refusals.column_of(error, here)
        said = refusals.message(error)
        if column is None or (error.sqlstate or "").startswith("23"):
            why = refusals.refusal(error, here, ()).sentence
            return f"{here.target.table_name} refuses what {name} writes ({why}): {_mend(error)}."
        value = next((record[each] for each in record if here.column_name(each) == column.name), "")
        return (
            f"{here.target.table_name}.{column.name} is {column.type_name} and cannot hold what"
            f" {name} writes there ({said}): {_retype(here, column, value)}."
        )


def attempt(connection: Connection, act: Callable[[], object]) -> psycopg.Error | None:
    """Return what Postgres has against an act, which is taken back either way."""
    try:
        with connection.transaction(force_rollback=True):
            rows.speak_at_once(connection)
            act()
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        return error
    return None


def _cut(here: Tables, records: Sequence[Record]) -> Iterator[str]:
    for name, column in here.placed(records[0]):
        values = [record.get(name) for record in records]
        if loses := next(filter(None, (_loses(column, value) for value in values)), ""):
            yield (
                f"{here.target.table_name}.{column.name} is {column.type_name}, which {loses}:"
                f" {_retype(here, column, values[0])}."
            )


def _loses(column: Column, value: object) -> str:
    """Return what a column does to a value and says nothing; empty where it keeps it whole."""
    if holds := _CUTTING.get(column.base):
        return f"cuts what is longer than {holds}"
    scale = _SCALE.fullmatch(column.type_name)
    if not scale or not isinstance(value, float):
        return ""
    kept = round(value, int(scale[1]))
    is_coarse = kept != value and 10.0 ** -int(scale[1]) > abs(value) * _COARSE
    return f"makes {kept:g} of {value:g}" if is_coarse else ""


def _mend(error: psycopg.Error) -> str:
    match (error.sqlstate or "")[:5]:
        case "23502":
            return "give the column a default, or let `records` yield it"
        case "23503":
            return "fill the table that the constraint refers to, or drop it"
        case "42501":
            return "create a policy that lets this user write them, or alter the role bypassrls"
        case "23514":
            return "widen the constraint, or drop it"
        case _:
            return "mend the table, or what `records` yields"


def _retype(here: Tables, column: Column, value: object) -> str:
    """Return what to write so that a column holds such values."""
    wanted = _fitting(value)
    return (
        f"alter table {here.target.table_name} alter column {column.name} type {wanted};"
        " or let another column be written"
    )


def _fitting(value: object) -> str:
    """Return a type that holds such values."""
    if isinstance(value, list | tuple):
        is_vector = all(isinstance(each, int | float) for each in value)
        return "double precision[]" if is_vector else "jsonb"
    found = (name for kind, name in _TYPES.items() if isinstance(value, kind))
    return next(found, "text")


def try_checkpoint(connection: Connection, here: Tables) -> list[str]:
    """Return what kb_migrations has against what a run will say there."""
    last = next(iter(_some_ids(connection, here, 1)), None)
    for status in get_args(checkpoint.Status):
        say = partial(checkpoint.say, connection, here.backfill, status, position=last, notes=_NOTE)
        if said := attempt(connection, say):
            return [
                _unsaid(said, f"status '{status}', cursor '{last}' and a note of two sentences")
            ]
    return list(_narrow(connection, here))


def _narrow(connection: Connection, here: Tables) -> Iterator[str]:
    """Yield the numbers of kb_migrations that cannot count as many rows as there are."""
    counted = {**here.values(), "most": _COUNTED}
    count = tables.one(connection, here.over_source("count_some"), counted)["rows"]
    for name in ("items_processed", "items_failed"):
        if error := attempt(connection, partial(_count, connection, here, name, count)):
            yield (
                f"{CHECKPOINT_TABLE}.{name} cannot hold {count:,} ({refusals.message(error)}):"
                f" alter table {CHECKPOINT_TABLE} alter column {name} type bigint;"
            )


def _count(connection: Connection, here: Tables, name: str, count: int) -> None:
    checkpoint.say(connection, here.backfill, "running")
    checkpoint.set_count(connection, here.backfill, name, count)


def _unsaid(error: psycopg.Error, what: str) -> str:
    return (
        f"{CHECKPOINT_TABLE} refuses what a run says there, {what}"
        f" ({refusals.message(error)}): give it columns that hold that (text, bigint, timestamptz),"
        " and what else is not null a default."
    )
