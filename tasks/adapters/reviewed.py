"""A version's rows before people: which targets, what their rows say, and a person's values."""

from collections.abc import Mapping
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from tasks.adapters import measures
from tasks.adapters.catalog import identifier
from tasks.adapters.ledger import comparisons
from tasks.adapters.measures import EVIDENCE
from tasks.adapters.plans import by_hashing
from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.tables import Tables
from tasks.adapters.values import array_literal
from tasks.core.places import NewRows

LOW = 0.5
"""A confidence below it is low."""

_SQL = statements("engine/review.sql")


def choose(
    connection: Connection, here: Tables, most: int, at_random: int, seed: int
) -> dict[str, list[str]]:
    """Return targets whose rows stand, with why each was chosen; those drawn at random first."""
    other = measures.other_version(connection, here)
    values = {**here.values(), "most": most, "at_random": at_random, "seed": seed, "other": other}
    target = here.backfill.target
    key = target.key if isinstance(target, NewRows) else ""
    statement = _put(
        here,
        "choose",
        low=sql.Literal(LOW),
        rows=comparisons.rows_in_doubt(here),
        disagreeing=_put(here, "disagreeing", version=here.version, key=here.value(key))
        if key and other
        else _put(here, "none_disagree"),
    )
    with by_hashing(connection):
        found = connection.execute(statement, values).fetchall()
    return {row["target_id"]: row["chosen"] for row in found}


def columns(here: Tables) -> dict[str, str]:
    """Return what a person can judge and correct of a row: as its table, and a record, calls it."""
    vector = here.backfill.embedding.column if here.backfill.embedding else ""
    names = [
        name
        for name in measures.record_columns(here.backfill)
        if name not in (EVIDENCE, vector) and not name.startswith("_")
    ]
    if here.is_csv:
        return {name: name for name in names}
    return {column.name: name for name, column in here.placed(names)}


def is_corrected(
    connection: Connection, here: Tables, target_id: str, found: Row, corrected: Mapping[str, Any]
) -> bool:
    """Put a person's values into a row; return whether it still stands as it was reviewed."""
    if here.is_csv:
        statement = _put(here, "correct_csv")
    else:
        names = sql.SQL(", ").join(map(identifier, corrected))
        statement = _put(here, "correct", columns=names)
    values = {
        **here.values(),
        "target_ids": array_literal([target_id]),
        "found": Jsonb(found),
        "corrected": Jsonb(dict(corrected)),
    }
    return bool(connection.execute(statement, values).rowcount)


def _put(here: Tables, statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(_SQL[statement]).format(
        target=here.target.identifier,
        table_name=identifier(here.target.table_name),
        target_id=here.target_id.identifier,
        ours=here.ours if here.has_versions else sql.SQL("true"),
        all_of_ours=here.all_of_ours,
        **parts,
    )
