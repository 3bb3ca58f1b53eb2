"""The table that answers go to: as it is, or the statement that makes it."""

from collections.abc import Iterator
from datetime import datetime

from psycopg import sql

from tasks.adapters import catalog
from tasks.adapters.catalog import Relation
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import CREATED, MODEL, VERSION
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.example import records_of
from tasks.core.identity import table_name
from tasks.core.places import NewRows

_SQL = statements("engine/new.sql")
_TYPES = {bool: "boolean", int: "bigint", float: "real", bytes: "jsonb", dict: "jsonb"}
_SEPARATOR = sql.SQL(",\n    ")


def existing(connection: Connection, name: str) -> Relation | None:
    """Return a table, or None where there is none of this name."""
    try:
        return catalog.relation(connection, name, "TARGET")
    except PreflightError:
        return None


def id_column(target: Relation | None, source: str, source_id: str) -> str:
    """Return the target's column for the source's id: of the same name, or called by the table."""
    by_table = f"{table_name(source).name}_id"
    if target is None:
        return by_table if source_id == "id" else source_id
    for name in (source_id, by_table):
        if name in target.columns:
            return name
    near = catalog.nearest(by_table if source_id == "id" else source_id, target.columns)
    if near is None:
        raise PreflightError(
            f"{target.table_name} has no column for the id of {source}: add {by_table}, or name"
            " another TARGET."
        )
    return near


def engines_own(target_id: str) -> tuple[str, ...]:
    """Return the columns that the engine fills."""
    return (target_id, VERSION, MODEL, CREATED)


def statement(connection: Connection, backfill: Backfill, source: Relation) -> sql.Composed:
    """Return what makes the target of a backfill: a column for all that its records hold."""
    target, here = backfill.target, backfill.source
    assert isinstance(target, NewRows)  # noqa: S101 - only such a table may be missing
    name = table_name(target.table)
    target_id = _written(connection, target.id)
    key = [target_id, *([_written(connection, target.key)] if target.key else []), sql.SQL(VERSION)]
    return sql.SQL(_SQL["create_target"]).format(
        table=sql.SQL(".").join(_written(connection, part) for part in name if part),
        id=target_id,
        id_type=source.columns[here.id].type,
        columns=_SEPARATOR.join(_columns(connection, backfill)),
        key=sql.SQL(", ").join(key),
    )


def _columns(connection: Connection, backfill: Backfill) -> Iterator[sql.Composed]:
    target = backfill.target
    named = target.columns if isinstance(target, NewRows) else {}
    for name, value in next(iter(records_of(backfill)), {}).items():
        column = _written(connection, named.get(name, name))
        yield sql.SQL("{} {}").format(column, sql.SQL(_type(value)))


def _type(value: object) -> str:
    """Return the type that holds a record's value."""
    if isinstance(value, list | tuple):
        return f"{_type(value[0]) if value else 'text'}[]"
    if isinstance(value, datetime):
        return "timestamptz"
    return _TYPES.get(type(value), "text")


def _written(connection: Connection, name: str) -> sql.SQL:
    row = connection.execute(_SQL["as_written"], {"name": name}).fetchone() or {}
    return sql.SQL(row["name"])
