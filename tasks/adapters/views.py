"""The views that readers of the results use, made once a backfill's tables are there."""

from collections.abc import Iterable

from psycopg import errors, sql

from tasks.adapters import tables
from tasks.adapters.catalog import identifier, literal
from tasks.adapters.postgres import Connection, connect, statements
from tasks.adapters.tables import CREATED, Tables
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.places import NewRows

_SQL = statements("engine/views.sql")


def create(backfills: Iterable[Backfill], database_url: str | None = None) -> list[str]:
    """Create the views that are missing and possible; return their names."""
    with connect(database_url) as connection:
        return [name for backfill in backfills for name in create_on(connection, backfill)]


def create_on(connection: Connection, backfill: Backfill) -> list[str]:
    """Create one backfill's views on an open connection; those that exist are left alone."""
    if not isinstance(backfill.target, NewRows):
        return []
    made = []
    try:
        with connection.transaction():
            here = tables.of(connection, backfill)
            for name, statement in (("best", _best(here)), ("coverage", _covered(here))):
                view = f"{backfill.name}_{name}"
                if not _is_there(connection, view):
                    connection.execute(statement, {})
                    made.append(view)
    except (PreflightError, errors.ProgrammingError):
        # Preflight names what is missing; without the right, or over texts where a view compares
        # numbers, a reader does without.
        return []
    return made


def renew(connection: Connection, backfill: Backfill) -> None:
    """Make a backfill's view of the best rows as this release has it, and of all columns."""
    if not isinstance(backfill.target, NewRows):
        return
    here = tables.of(connection, backfill)
    try:
        with connection.transaction():
            connection.execute(_best(here), {})
    except errors.InvalidTableDefinition:  # a column went away, or stands elsewhere
        best = identifier("backfill", f"{backfill.name}_best")
        connection.execute(_put("drop_best", best=best))
        connection.execute(_best(here), {})


def _is_there(connection: Connection, view: str) -> bool:
    row = connection.execute(_SQL["is_there"], {"name": f'backfill."{view}"'}).fetchone()
    return bool(row and row["present"])


def _best(here: Tables) -> sql.Composed:
    target, parts = here.backfill.target, _parts(here)
    key = target.key if isinstance(target, NewRows) else ""
    confidence = [column for _, column in here.placed(["confidence"])]
    created = [column for _, column in here.placed([CREATED])]
    nothing = sql.SQL("null::int")
    return _put(
        "best",
        best=identifier("backfill", f"{here.backfill.name}_best"),
        backfill=literal(here.backfill.name),
        folded_key=_put("folded_key", key=here.value(key)) if key else _put("no_key", **parts),
        is_sure=_put("is_sure", confidence=confidence[0].identifier)
        if confidence
        else sql.SQL("true"),
        surest=_put("surest", confidence=confidence[0].identifier) if confidence else nothing,
        newest=_put("newest", created=created[0].identifier) if created else nothing,
        **parts,
    )


def _covered(here: Tables) -> sql.Composed:
    source = here.source.identifier if here.source else sql.SQL("backfill.csv_rows")
    name = identifier("backfill", f"{here.backfill.name}_coverage")
    return _put("covered", covered=name, source=source, **_parts(here))


def _parts(here: Tables) -> dict[str, sql.Composable]:
    return {
        "target": here.target.identifier,
        "id": here.target_id.identifier,
        "version": here.version,
    }


def _put(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(_SQL[statement]).format(**parts)
