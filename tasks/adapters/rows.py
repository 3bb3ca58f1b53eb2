"""Answers into the user's table: one COPY per slice, inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import orjson

from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import Tables
from tasks.adapters.targets import array_literal
from tasks.adapters.values import converter, json_text
from tasks.core.backfill import Record, Target
from tasks.core.errors import BackfillError

_SQL = statements("engine/rows.sql")

Of = tuple[Target, Record]
"""A record, and the target that it belongs to."""


def write(
    connection: Connection, here: Tables, records: Iterable[Of], stamp: Mapping[str, object]
) -> None:
    """Write records as the declaration says: as rows, in place, or as columns of a CSV.

    `stamp` holds what is the same in all of them: version, model, time.
    """
    stream = iter(records)
    first = next(stream, None)
    if first is None:
        return
    everything = chain([first], stream)
    if here.is_in_place:
        _fill_in(connection, here, everything)
    elif here.is_csv:
        named = ((target, _answer(target, record)) for target, record in everything)
        own = {"backfill": here.backfill.name, **stamp}
        _copy(connection, here, ("doc_id", "answer"), named, own)
    else:
        _copy(connection, here, tuple(first[1]), everything, stamp)


def delete(connection: Connection, here: Tables, target_ids: Sequence[str]) -> int:
    """Remove this version's rows of some targets; return how many rows there were."""
    if not target_ids or here.is_in_place:
        return 0  # what was filled in in place is overwritten
    values = {**here.values(), "target_ids": array_literal(target_ids)}
    return connection.execute(here.over_rows("delete_records"), values).rowcount


def _copy(
    connection: Connection,
    here: Tables,
    names: Sequence[str],
    records: Iterable[Of],
    stamp: Mapping[str, object],
) -> None:
    placed = here.placed(names)
    own = [(name, column) for name, column in here.placed(stamp) if name not in names]
    columns = [here.target_id, *(column for _, column in own), *(column for _, column in placed)]
    constant = tuple(converter(column)(stamp[name]) for name, column in own)
    converters = [(name, converter(column)) for name, column in placed]
    wanted = len(names)
    with connection.cursor().copy(here.copy_records(columns)) as copy:
        for target, record in records:
            if len(record) != wanted:
                raise BackfillError(_uneven(here.backfill.name, names, record))
            try:
                values = [to(record[name]) for name, to in converters]
            except KeyError:
                raise BackfillError(_uneven(here.backfill.name, names, record)) from None
            copy.write_row((target.target_id, *constant, *values))


def _fill_in(connection: Connection, here: Tables, records: Iterable[Of]) -> None:
    connection.execute(_SQL["stage_records"])
    with connection.cursor().copy(_SQL["copy_staged"]) as copy:
        for target, record in records:
            copy.write_row((target.target_id, _plain(record)))
    connection.execute(here.apply_records(), {})


def _answer(target: Target, record: Record) -> Record:
    """Return an answer as the ledger keeps it for CSV files: by its question, for every row."""
    return {"doc_id": target.doc_id, "answer": _plain(record).encode()}


def _plain(record: Record) -> str:
    return json_text({name: _decoded(value) for name, value in record.items()})


def _decoded(value: object) -> object:
    """Return a value whose JSON was ready as what it is."""
    return orjson.loads(value) if isinstance(value, bytes) else value


def _uneven(name: str, names: Sequence[str], record: Record) -> str:
    return (
        f"`records` of {name} yields different columns: {', '.join(names)}, and then"
        f" {', '.join(record)}. Let every record have all of them, None where there is nothing."
    )
