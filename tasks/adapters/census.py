"""What stands, counted where it stands: the source, the target's table and the ledger together."""

from datetime import datetime

from psycopg import sql

from tasks.adapters import fingerprints, tables
from tasks.adapters.ledger import rereads, slices, versions
from tasks.adapters.plans import by_hashing
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill
from tasks.core.census import Census
from tasks.core.models import Filled

_SQL = statements("engine/census.sql")


def take(connection: Connection, backfill: Backfill, since: datetime | None = None) -> Census:
    """Return the census of a version; it reads both tables once, and once more as a plan does.

    Rows that were written `since` count as nobody's corrections: they are not read again.
    """
    here = tables.of(connection, backfill)
    planned = _planned(connection, backfill)
    if here.is_csv:  # its answers stand in the ledger, beside each other, whatever file asks them
        return Census(**planned)
    statement = sql.SQL(_SQL["census"]).format(
        source=here.rows(in_scope=False), fingerprints=_fingerprints(connection, here)
    )
    with by_hashing(connection):
        found = tables.one(connection, statement, {**here.values(), "since": since})
    return Census(**found, **planned)


def versions_of(connection: Connection, backfill: Backfill) -> list[str]:
    """Return the versions of which rows stand, as far as the ledger knows."""
    rows = connection.execute(_SQL["versions"], {"backfill": backfill.name})
    return [row["extractor_version"] for row in rows]


def orphans(connection: Connection, backfill: Backfill, after: str, size: int) -> list[str]:
    """Return the next targets whose source row is gone."""
    here = tables.of(connection, backfill)
    statement = sql.SQL(_SQL["orphans"]).format(
        source=here.rows(in_scope=False),
        target=here.target.identifier,
        target_id=here.target_id.identifier,
        ours=here.ours,
    )
    found = connection.execute(statement, {**here.values(), "after": after, "step": size})
    return [row["target_id"] for row in found]


def _planned(connection: Connection, backfill: Backfill) -> dict[str, int]:
    """Return what is the plan's own word: nothing for a version that was rolled back."""
    if versions.is_withdrawn(connection, backfill):
        return {}
    found = slices.find_remaining(connection, backfill)
    return {
        "restorable": found.restorable,
        "thinned": found.thinned,
        "askable": found.askable + found.twins,
    }


def _fingerprints(connection: Connection, here: Tables) -> sql.Composed:
    """Return what stands for each older target, for each reading over the columns it filled."""
    readings = rereads.columns(connection, here.backfill)
    each = (
        fingerprints.of_older(here, number, filled or Filled(here.owned, by_text=True))
        for number, filled in readings.items()
    )
    return sql.SQL(" union all ").join(each)
