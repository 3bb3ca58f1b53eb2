"""The user's rows: their texts as they are now, and what answers become, in one COPY per slice."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from tasks.adapters import in_place, tables
from tasks.adapters.catalog import Column
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import Tables
from tasks.adapters.values import array_literal, converter, decoded
from tasks.core.backfill import Backfill, Record, Target
from tasks.core.ends import SkipReason
from tasks.core.errors import BackfillError, PreflightError
from tasks.core.identity import content_hash
from tasks.core.models import Member
from tasks.core.places import InPlace

Rendered = tuple[str, list[int] | None]
"""A text, and the lengths of the columns' values in it where it is made of several pieces."""

Copy = psycopg.Copy
_SQL = statements("engine/rows.sql")
Of = tuple[Target, Record]
"""A record, and the target that it belongs to."""
Way = Callable[[Connection, Tables, Sequence[Column]], AbstractContextManager[Copy]]
"""Where records go to."""


def texts(connection: Connection, here: Tables, ids: Sequence[str]) -> dict[str, list[Rendered]]:
    """Return the texts of target_ids; a list, because an id may stand in several rows."""
    found: dict[str, list[Rendered]] = defaultdict(list)
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": array_literal(ids)}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for target_id, content, lengths in cursor.execute(here.texts(), values):
            found[target_id].append((content, lengths))
    return found


def current(
    connection: Connection, backfill: Backfill, members: Sequence[Member]
) -> tuple[list[Target], list[tuple[Member, SkipReason]]]:
    """Return members whose text is what was planned, and the others with what happened to them."""
    here = tables.of(connection, backfill)
    found = texts(connection, here, [member.target_id for member in members])
    targets, gone = [], []
    for member in members:
        candidates = found.get(member.target_id, [])
        planned = [each for each in candidates if content_hash(each[0]) == member.content_hash]
        if planned:
            text, lengths = planned[0]
            parts = backfill.template.parts(lengths) if lengths else ()
            targets.append(Target(member.doc_id, member.target_id, text, parts))
        else:
            why = SkipReason.TEXT_CHANGED if candidates else SkipReason.ROW_DELETED
            gone.append((member, why))
    return targets, gone


def labels(
    connection: Connection, backfill: Backfill, ids: Sequence[str], csv_file: str | None = None
) -> dict[str, str]:
    """Return what people call some rows; their ids where the declaration does not say."""
    here = tables.of(connection, backfill)
    values = {**here.values(csv_file), "target_ids": array_literal(ids)}
    tables.fix_texts(connection)
    found = {
        row["target_id"]: row["label"]
        for row in connection.execute(here.over_source("labels", in_scope=False), values)
    }
    return {key: (found.get(key) or "").strip() or key for key in ids}


def speak_at_once(connection: Connection) -> None:
    """Let deferred constraints speak at each statement, not at the commit."""
    connection.execute(_SQL["speak_at_once"])


def write(
    connection: Connection,
    here: Tables,
    records: Iterable[Of],
    stamp: Mapping[str, object],
    way_in: "Way | None" = None,
) -> None:
    """Write records as the declaration says: as rows, in place, or as columns of a CSV.

    `stamp` holds what is the same in all of them: version, model, time.
    """
    stream = iter(records)
    first = next(stream, None)
    if first is None:
        return
    everything: Iterable[Of] = chain([first], stream)
    if isinstance(target := here.backfill.target, InPlace):
        filled = ((each, _only(record, target.columns)) for each, record in everything)
        _copy(connection, here, target.columns, filled, {}, way_in)
    elif here.is_csv:
        named = ((each, _answer(each, record)) for each, record in everything)
        own = {"backfill": here.backfill.name, **stamp}
        _copy(connection, here, ("doc_id", "answer"), named, own, way_in)
    else:
        _copy(connection, here, tuple(first[1]), everything, stamp, way_in)


def delete(connection: Connection, here: Tables, target_ids: Sequence[str]) -> int:
    """Remove this version's rows of some targets; return how many rows there were."""
    if not target_ids or here.is_in_place:
        return 0  # what was filled in in place is overwritten
    values = {**here.values(), "target_ids": array_literal(target_ids)}
    return connection.execute(here.over_rows("delete_records"), values).rowcount


def forget(connection: Connection, here: Tables, target_ids: Sequence[str]) -> int:
    """Take out what was written for some targets, in place too; return of how many rows."""
    if not target_ids or not isinstance(target := here.backfill.target, InPlace):
        return delete(connection, here, target_ids)
    nothing = dict.fromkeys(target.columns)
    emptied = ((Target(UUID(int=0), target_id, ""), nothing) for target_id in target_ids)
    try:
        _copy(connection, here, target.columns, emptied, {})
    except psycopg.errors.NotNullViolation as error:
        raise PreflightError(
            f"{here.target.table_name}.{error.diag.column_name} may not be null, so what was"
            " written there cannot be taken out: drop its `not null`, or delete these rows first."
        ) from None
    return len(target_ids)


def put_aside(
    connection: Connection, here: Tables, records: Iterable[Of], stamp: Mapping[str, object]
) -> tuple[str, ...]:
    """Put records where they are read as the table would; return which columns they fill."""
    stream = iter(records)
    if (first := next(stream, None)) is None:
        return ()
    write(connection, here, chain([first], stream), stamp, _stage)
    if here.is_csv:
        return ("answer",)
    return here.owned if here.is_in_place else tuple(first[1])


def forget_csv_answers(connection: Connection, doc_ids: Sequence[UUID]) -> None:
    """Remove answers of CSV rows, to be written anew."""
    connection.execute(_SQL["forget_csv_answers"], {"doc_ids": list(doc_ids)})


def _copy(  # noqa: PLR0913, PLR0917 - what, whither, and how
    connection: Connection,
    here: Tables,
    names: Sequence[str],
    records: Iterable[Of],
    stamp: Mapping[str, object],
    way_in: "Way | None" = None,
) -> None:
    placed = here.placed(names)
    own = [(name, column) for name, column in here.placed(stamp) if name not in names]
    columns = [here.target_id, *(column for _, column in own), *(column for _, column in placed)]
    constant = tuple(converter(column)(stamp[name]) for name, column in own)
    converters = [(name, converter(column)) for name, column in placed]
    wanted = len(names)
    with (way_in or _way_in)(connection, here, columns) as copy:
        for target, record in records:
            if len(record) != wanted:
                raise BackfillError(_uneven(here.backfill.name, names, record))
            try:
                values = [to(record[name]) for name, to in converters]
            except KeyError:
                raise BackfillError(_uneven(here.backfill.name, names, record)) from None
            copy.write_row((target.target_id, *constant, *values))


@contextmanager
def _way_in(connection: Connection, here: Tables, columns: Sequence[Column]) -> Iterator[Copy]:
    """Yield a COPY into the target's table, or into a staged one of the same columns.

    An update needs a stage, and so does a table with row security, which takes no COPY.
    """
    if not (here.is_in_place or here.target.hides_rows):
        with connection.cursor().copy(here.over_columns("copy_records", columns)) as copy:
            yield copy
        return
    with _stage(connection, here, columns) as copy:
        yield copy
    if here.is_in_place:
        in_place.fill_in(connection, here)
    else:
        connection.execute(here.over_columns("insert_staged", columns))


@contextmanager
def _stage(connection: Connection, here: Tables, columns: Sequence[Column]) -> Iterator[Copy]:
    connection.execute(here.over_columns("stage_records", columns))
    connection.execute(_SQL["forget_staged"])
    with connection.cursor().copy(here.over_columns("copy_staged", columns)) as copy:
        yield copy


def _only(record: Record, names: Sequence[str]) -> Record:
    """Return some columns of a record; what it lacks is None."""
    return {name: record.get(name) for name in names}


def _answer(target: Target, record: Record) -> Record:
    """Return an answer as the ledger keeps it for CSV files: by its question, for every row."""
    answer = {name: decoded(value) for name, value in record.items()}
    return {"doc_id": target.doc_id, "answer": answer}


def _uneven(name: str, names: Sequence[str], record: Record) -> str:
    return (
        f"`records` of {name} yields different columns: {', '.join(names)}, and then"
        f" {', '.join(record)}. Let every record have all of them, None where there is nothing."
    )
