"""Rows of the user's that are filled in in place: what is ours in them, and what stood before."""

from psycopg import sql
from psycopg.rows import tuple_row

from tasks.adapters import catalog, fingerprints, tables
from tasks.adapters.catalog import Column
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import Tables
from tasks.core.models import Filled

_SQL = statements("engine/in_place.sql")
_COMMA, _OR = sql.SQL(", "), sql.SQL(" or ")


def fill_in(connection: Connection, here: Tables) -> None:
    """Fill in what is staged; keep what stood before, where we had filled in nothing yet."""
    tables.fix_texts(connection)
    for statement in ("keep_before", "fill_in"):
        connection.execute(_over(here, statement), here.values())


def read_back(
    connection: Connection, here: Tables, target_ids: str, filled: Filled
) -> dict[str, tuple[int | None, int]]:
    """Return what stands of what was filled in: a fingerprint where it is done, and one row."""
    values = {**here.values(), "target_ids": target_ids}
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_over(here, "read_back", filled), values)
        return {target_id: (fingerprint, count) for target_id, fingerprint, count in cursor}


def corrected(connection: Connection, here: Tables, target_ids: str) -> set[str]:
    """Return the rows that are not done, and hold what neither we nor the time before us wrote."""
    values = {**here.values(), "target_ids": target_ids}
    rows = connection.execute(_over(here, "corrected"), values)
    return {row["target_id"] for row in rows}


def put_back(connection: Connection, here: Tables, target_ids: str) -> list[str]:
    """Let rows hold what stood there before us; return those of which that is known."""
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": target_ids}
    rows = connection.execute(_over(here, "put_back"), values)
    return [row["target_id"] for row in rows]


def _over(here: Tables, statement: str, filled: Filled | None = None) -> sql.Composed:
    """Return one of the statements over the rows that are filled in, by its name.

    Without `filled` it is over all of ours.
    """
    filled = filled or Filled(here.owned)
    placed = [column for _, column in here.placed(filled.names)]

    def each(form: str, between: sql.SQL = _COMMA) -> sql.Composed:
        return between.join(_of(here, column, form) for column in placed)

    return sql.SQL(_SQL[statement]).format(
        target=here.target.identifier,
        id=_qualified(here, here.target_id),
        own_id=here.target_id.identifier,
        is_done=here.is_done,
        hashed=fingerprints.number(here, filled, [_qualified(here, each) for each in placed]),
        texts=each("text"),
        hashes=each("hash"),
        from_staged=each("staged"),
        from_before=each("before"),
        is_neither=each("is_neither", _OR),
    )


def _of(here: Tables, column: Column, form: str) -> sql.Composed:
    return sql.SQL(_SQL[form]).format(
        own=column.identifier,
        column=_qualified(here, column),
        name=catalog.literal(column.name),
        type=column.type,
    )


def _qualified(here: Tables, column: Column) -> sql.Composed:
    """Return a column's name with its table's: others have columns of the same name."""
    return sql.SQL("{}.{}").format(here.target.identifier, column.identifier)
