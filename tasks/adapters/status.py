"""Where every backfill stands, read from the ledger in one snapshot."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from tasks.adapters.census import take
from tasks.adapters.ledger import runs
from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.core.backfill import Backfill
from tasks.core.census import Census
from tasks.core.errors import PreflightError
from tasks.core.status import BackfillStatus, RunStatus, SliceStatus, Status

_SQL = statements("queries/status.sql")
_READINGS = statements("queries/rereads.sql")["count_readings"]
_Key = tuple[str, str]


def read(census_of: Iterable[Backfill] = ()) -> Status:
    """Return the status of every backfill that the ledger knows.

    Of some a census is taken, which reads their tables as a whole: seconds for each 100,000 rows.
    """
    with connect() as connection:
        now = read_on(connection)
    wanted = {(backfill.name, backfill.extractor_version): backfill for backfill in census_of}
    return now.model_copy(
        update={
            "backfills": [
                each.model_copy(update={"census": _census(wanted.get(each.key))})
                for each in now.backfills
            ]
        }
    )


def read_on(connection: Connection) -> Status:
    """Return the status as a connection sees it."""
    now = datetime.now(UTC)
    reasons: dict[_Key, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_SQL["bad_reasons"]):
        reasons[_key(row)][row["reason"]] = row["targets"]
    readings: dict[_Key, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(_READINGS, {"backfill": None, "extractor_version": None}):
        readings[_key(row)][row["reading"]] = row["targets"]
    latest = {
        _key(row): _run(connection, row)
        for row in connection.execute(_SQL["latest_runs"], {"flow_run_id": None})
    }
    slices: dict[_Key, list[SliceStatus]] = defaultdict(list)
    for row in connection.execute(_SQL["open_slices"]):
        slices[_key(row)].append(SliceStatus.model_validate(row))
    return Status(
        at=now,
        backfills=[
            BackfillStatus(
                **row,
                bad_reasons=reasons[_key(row)],
                readings=readings[_key(row)],
                run=latest.get(_key(row)),
                slices=slices[_key(row)],
            )
            for row in connection.execute(_SQL["ends"])
        ],
    )


def of_flow_run(flow_run_id: str) -> RunStatus | None:
    """Return how far the run is that a flow run works on; None before it has one."""
    with connect() as connection:
        row = connection.execute(_SQL["latest_runs"], {"flow_run_id": flow_run_id}).fetchone()
        return _run(connection, row) if row else None


def _run(connection: Connection, row: Row) -> RunStatus:
    return RunStatus.model_validate(
        {**row, **runs.progress(connection, row["run_id"]).model_dump()}
    )


def _census(backfill: Backfill | None) -> Census | None:
    """Return a backfill's census; None where none is wanted, or its tables are not there."""
    if backfill is None:
        return None
    try:
        with connect() as connection:
            return take(connection, backfill)
    except PreflightError:
        return None


def _key(row: Row) -> _Key:
    return row["backfill"], row["extractor_version"]
