"""What our columns of the user's rows hold, as statements over them: as numbers, and as shown."""

from collections.abc import Sequence

from psycopg import sql

from tasks.adapters import catalog
from tasks.adapters.catalog import Column
from tasks.adapters.tables import Tables, put
from tasks.core.models import Filled

_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
_TIMES = ("date", "time", "timestamp", "timestamptz")
_HASHED = frozenset((*_NUMBERS, *_TIMES, "bool", "uuid", "bytea", "jsonb"))
"""Types whose values Postgres hashes, equal ones alike; any other is hashed as its text."""

_COMMA = sql.SQL(", ")


def of_targets(here: Tables, filled: Filled, *, staged: bool) -> sql.Composed:
    """Return a number for what each of some targets' rows hold, whatever their order."""
    return put("fingerprints", hashed=_hashed(here, filled), **_rows(here, staged=staged))


def of_older(here: Tables, reading: int, filled: Filled) -> sql.Composed:
    """Return a number for what a reading filled, for every target of the table `older`."""
    return put(
        "older_fingerprints",
        reading=sql.Literal(reading),
        hashed=_hashed(here, filled),
        **_rows(here, staged=False),
    )


def shown(here: Tables, names: Sequence[str], *, staged: bool) -> sql.Composed:
    """Return what some columns hold, for a person to read."""
    columns = _COMMA.join(column.identifier for _, column in here.placed(names))
    return put("shown", columns=columns, **_rows(here, staged=staged))


def number(here: Tables, filled: Filled, qualified: Sequence[sql.Composable]) -> sql.Composed:
    """Return one row's values as a number; `qualified` are its columns."""
    columns = [column for _, column in here.placed(filled.names)]
    if filled.by_text:
        return put("hashed_text", columns=_COMMA.join(qualified))
    each = map(_value, columns, qualified)
    return put("hashed_values", columns=_COMMA.join(each))


def _hashed(here: Tables, filled: Filled) -> sql.Composed:
    names = [column.identifier for _, column in here.placed(filled.names)]
    return number(here, filled, names)


def _value(column: Column, name: sql.Composable) -> sql.Composable:
    return name if column.base in _HASHED else put("as_bytes", value=name)


def _rows(here: Tables, *, staged: bool) -> dict[str, sql.Composable]:
    """Return rows that are ours and done, or are staged; a CSV's have their answers' doc_ids."""
    key = here.target.columns["doc_id"] if here.is_csv else here.target_id
    standing = here.is_done if here.is_in_place else here.ours
    return {
        "target": catalog.identifier("staged") if staged else here.target.identifier,
        "target_id": key.identifier,
        "ours": sql.SQL("true") if staged else standing,
    }
