"""What stands in our columns of the user's rows: to compare, and for a person to read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from psycopg.rows import tuple_row

from tasks.adapters import fingerprints, in_place, tables
from tasks.adapters.plans import by_id
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import Tables
from tasks.adapters.values import array_literal
from tasks.core.backfill import Target
from tasks.core.models import Filled, Written

_SQL = statements("engine/rows.sql")

Stands = Mapping[str, tuple[int | None, int]]
"""By target: its rows' fingerprint, and how many rows."""


def key(here: Tables, target: Target) -> str:
    """Return what tells a target's rows apart: its id, and of a CSV its answer's doc_id."""
    return str(target.doc_id) if here.is_csv else target.target_id


def numbers(
    connection: Connection,
    here: Tables,
    keys: Sequence[str],
    filled: Filled,
    *,
    staged: bool = False,
) -> dict[str, int]:
    """Return what some columns hold for some targets, as a number each; see `key`."""
    found = _found(connection, here, keys, filled, staged=staged)
    return {each: number for each, number, _ in found}


def read_back(connection: Connection, here: Tables, ids: Sequence[str], filled: Filled) -> Stands:
    """Return what stands for targets that were just written."""
    if here.is_in_place:
        return in_place.read_back(connection, here, array_literal(ids), filled)
    found = _found(connection, here, ids, filled)
    return {target_id: (number, records) for target_id, number, records in found}


def of_others(connection: Connection, here: Tables, target_ids: Sequence[str]) -> set[str]:
    """Return the targets for which rows of this version stand that we did not write."""
    if here.is_in_place or here.is_csv:
        return set()
    values = {**here.values(), "target_ids": array_literal(target_ids)}
    with by_id(connection):
        found = connection.execute(here.over_rows("others_among"), values).fetchall()
    return {row["target_id"] for row in found}


def edited(connection: Connection, here: Tables, written: Mapping[str, Written]) -> set[str]:
    """Return the targets whose rows are not what they were when they were written."""
    known: dict[Filled, list[str]] = defaultdict(list)
    for target_id, was in written.items():
        if was.fingerprint is not None:
            known[was.filled or Filled(here.owned, by_text=True)].append(target_id)
    found = {
        target_id
        for filled, ids in known.items()
        for target_id, is_now in numbers(connection, here, ids, filled).items()
        if is_now != written[target_id].fingerprint
    }
    if here.is_in_place and written:
        found |= in_place.corrected(connection, here, array_literal(list(written)))
    return found


def shown(
    connection: Connection,
    here: Tables,
    keys: Sequence[str],
    columns: Sequence[str],
    *,
    staged: bool = False,
) -> dict[str, list[dict[str, object]]]:
    """Return what some columns hold for some targets, for a person to read; see `key`."""
    names = [name for name, _ in here.placed(columns)]
    values = {**here.values(), "target_ids": array_literal(keys)}
    found: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in connection.execute(fingerprints.shown(here, columns, staged=staged), values):
        said = {name: row["found"][f"f{place}"] for place, name in enumerate(names, 1)}
        found[row["target_id"]].append(said)
    return found


def _found(
    connection: Connection,
    here: Tables,
    keys: Sequence[str],
    filled: Filled,
    *,
    staged: bool = False,
) -> list[tuple[str, int, int]]:
    """Return key, fingerprint and number of rows."""
    if not keys:
        return []
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": array_literal(keys)}
    with connection.cursor(row_factory=tuple_row) as cursor, by_id(connection):
        statement = fingerprints.of_targets(here, filled, staged=staged)
        return cursor.execute(statement, values).fetchall()
