"""What every backfill is measured by, read back from its target's table.

Rows per target, targets without rows, nulls per column, shares with evidence and with a real
vector, how each closed vocabulary is spread: derived from the declaration and the catalog, for a
backfill that a user added as for ours.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from psycopg import sql

from tasks.adapters import tables
from tasks.adapters.catalog import identifier
from tasks.adapters.ledger import reviews
from tasks.adapters.postgres import SQL_ROOT, Connection, Row, statements
from tasks.adapters.tables import Tables
from tasks.adapters.values import array_literal
from tasks.core.backfill import Backfill
from tasks.core.example import columns_of, vocabularies
from tasks.core.places import InPlace, NewRows
from tasks.core.reviewing import PRECISION

EVIDENCE = "evidence"
_SQL = statements("engine/measures.sql")
_NOTHING = sql.SQL("")
_MEASURED = re.compile(r"\bas (\w+)")

Numbers = dict[str, float | None]


def measure(connection: Connection, backfill: Backfill, run_id: UUID) -> Numbers:
    """Return the measurements of one run's rows by name; None where there are no rows."""
    here = tables.of(connection, backfill)
    flags = _flags(here)
    statement = _put(
        "measure",
        found=_found(here, flags),
        sums=_list("sum", flags),
        shares=_list("share", flags),
    )
    row = tables.one(connection, statement, {**here.values(), "run_id": run_id})
    own = _own_measurements(connection, here, run_id)
    numbers = {name: None if value is None else float(value) for name, value in row.items()}
    right = reviews.precision(connection, backfill)
    return {**numbers, **own, **({} if right is None else {PRECISION: right})}


def names(backfill: Backfill) -> set[str]:
    """Return what may be measured of a backfill, as a gate may name it."""
    columns = record_columns(backfill)
    found = {"rows", "rows_per_target", "rows_p10", "rows_p90", "targets_without_rows"}
    found |= {f"null_{name}" for name in columns} | {
        "usable",
        "unparseable",
        "quotes_placed",
        PRECISION,
    }
    if EVIDENCE in columns:
        found.add("evidence_coverage")
    if backfill.embedding:
        found.add("real_embeddings")
    if isinstance(backfill.target, NewRows) and backfill.target.key:
        found.add("long_names")
    own = _own_statements(backfill.declared_as).get("measure", "")
    return found | set(_MEASURED.findall(own))


def record_columns(backfill: Backfill) -> tuple[str, ...]:
    """Return the columns that records fill, as far as they are known before there is any."""
    if isinstance(backfill.target, InPlace):
        return backfill.target.columns
    return columns_of(backfill)


def rows_per_target(connection: Connection, backfill: Backfill, run_id: UUID) -> dict[str, float]:
    """Return how many targets of a run got how many rows."""
    here = tables.of(connection, backfill)
    statement = _put("per_target", found=_found(here, {}))
    rows = connection.execute(statement, {**here.values(), "run_id": run_id})
    return {row["label"]: row["targets"] for row in rows}


def other_version(connection: Connection, here: Tables) -> str | None:
    """Return the version that ours is compared with: of the others, the one with most rows."""
    if not here.has_versions:
        return None
    found = tables.one(connection, _over(here, "other_version"), here.values())
    return found.get("version")


def distributions(connection: Connection, here: Tables, other: str | None) -> dict[str, list[Row]]:
    """Return, for every closed vocabulary, its words with their counts in ours and another."""
    values = {**here.values(), "other": other}
    name = "distribution" if here.has_versions else "distribution_in_place"
    found = {}
    for column in vocabularies(here.backfill):
        if here.is_csv or here.placed([column]):
            statement = _over(here, name, value=here.value(column))
            found[column] = connection.execute(statement, values).fetchall()
    return found


def sample(connection: Connection, here: Tables, run_id: UUID, other: str | None) -> list[Row]:
    """Return a few targets of a run, as `rows_of` does."""
    chosen = connection.execute(_SQL["sample"], {"run_id": run_id}).fetchall()
    return rows_of(connection, here, [row["target_id"] for row in chosen], other)


def rows_of(
    connection: Connection, here: Tables, ids: Sequence[str], other: str | None
) -> list[Row]:
    """Return target_id, found rows and another version's words of some targets."""
    row = _put("whole_row", target=identifier(here.target.table_name))
    if here.is_csv:
        row = sql.Composed([identifier("answer")])
    values = {**here.values(), "target_ids": array_literal(ids), "other": other}
    found: dict[str, list[Any]] = {}
    for each in connection.execute(_over(here, "rows_of", row=row), values):
        found.setdefault(each["target_id"], []).append(each["found"])
    earlier = _earlier(connection, here, values)
    return [
        {"target_id": key, "found": found.get(key, []), "earlier": earlier.get(key)} for key in ids
    ]


def verify(connection: Connection, backfill: Backfill) -> list[Row]:
    """Return how every row stands, or its vector where there is one: is_good, finding, targets."""
    here = tables.of(connection, backfill)
    if backfill.embedding is None:
        standing = here.over_candidates("how_targets_stand")
        return connection.execute(standing, here.values()).fetchall()
    statement = _over(
        here,
        "verify",
        value=here.value(backfill.embedding.column),
        dimensions=sql.SQL(str(backfill.embedding.dimensions)),
        source=here.rows(),
    )
    return connection.execute(statement, here.values()).fetchall()


def _flags(here: Tables) -> dict[str, sql.Composable]:
    """Return what is counted about a row, by the measurement's name."""
    backfill = here.backfill
    columns = [
        name
        for name in record_columns(backfill)
        if not name.startswith("_") and (here.is_csv or here.placed([name]))
    ]
    found: dict[str, sql.Composable] = {
        f"null_{name}": _put("is_null", value=here.value(name)) for name in columns
    }
    if EVIDENCE in columns:
        found["evidence_coverage"] = _put("has_evidence", value=here.value(EVIDENCE))
    if spec := backfill.embedding:
        dimensions = sql.SQL(str(spec.dimensions))
        found["real_embeddings"] = _put(
            "is_real", value=here.value(spec.column), dimensions=dimensions
        )
    if isinstance(backfill.target, NewRows) and (key := backfill.target.key) in columns:
        found["long_names"] = _put("is_long", value=here.value(key))
    return found


def _found(here: Tables, flags: Mapping[str, sql.Composable]) -> sql.Composed:
    listed = [_put("flag", flag=flag, name=identifier(name)) for name, flag in flags.items()]
    return _over(here, "found", nothing=_list("nothing", flags), flags=_NOTHING.join(listed))


def _list(statement: str, names: Mapping[str, object] | Sequence[str]) -> sql.Composed:
    return _NOTHING.join(_put(statement, name=identifier(name)) for name in names)


def _earlier(connection: Connection, here: Tables, values: Mapping[str, Any]) -> dict[str, str]:
    target = here.backfill.target
    if values["other"] is None or not isinstance(target, NewRows) or not target.key:
        return {}
    statement = _over(here, "keys_of", value=here.value(target.key))
    return {row["target_id"]: row["words"] for row in connection.execute(statement, values)}


def _own_measurements(connection: Connection, here: Tables, run_id: UUID) -> Numbers:
    """Return what the backfill's own SQL file measures besides, if it has one."""
    own = _own_statements(here.backfill.declared_as)
    if "measure" not in own:
        return {}
    statement = sql.SQL(own["measure"]).format(
        source=here.source.identifier if here.source else _NOTHING, target=here.target.identifier
    )
    row = tables.one(connection, statement, {**here.values(), "run_id": run_id})
    return {name: None if value is None else float(value) for name, value in row.items()}


@cache
def _own_statements(name: str) -> Mapping[str, Any]:
    path = f"queries/{name}.sql"
    return statements(path) if (SQL_ROOT / path).exists() else {}


def _over(here: Tables, statement: str, **parts: sql.Composable) -> sql.Composed:
    return _put(
        statement,
        target=here.target.identifier,
        target_id=here.target_id.identifier,
        version=here.version,
        ours=here.ours if here.has_versions else sql.SQL("true"),
        all_of_ours=here.all_of_ours,
        **parts,
    )


def _put(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(_SQL[statement]).format(**parts)
