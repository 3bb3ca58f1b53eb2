"""Where every backfill stands, read from the ledger in one snapshot."""

from collections import defaultdict
from datetime import UTC, datetime

from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.core.status import BackfillStatus, RunStatus, SliceStatus, Status

_SQL = statements("queries/status.sql")
_READINGS = statements("queries/rereads.sql")["count_readings"]
_Key = tuple[str, str]


def read() -> Status:
    """Return the status of every backfill that the ledger knows."""
    with connect() as connection:
        return read_on(connection)


def read_on(connection: Connection) -> Status:
    """Return the status as a connection sees it."""
    now = datetime.now(UTC)
    reasons: dict[_Key, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_SQL["bad_reasons"]):
        reasons[_key(row)][row["reason"]] = row["targets"]
    readings: dict[_Key, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(_READINGS, {"backfill": None, "extractor_version": None}):
        readings[_key(row)][row["reading"]] = row["targets"]
    runs = {
        _key(row): RunStatus.model_validate(row) for row in connection.execute(_SQL["latest_runs"])
    }
    slices: dict[_Key, list[SliceStatus]] = defaultdict(list)
    for row in connection.execute(_SQL["open_slices"]):
        age = (now - row["since"]).total_seconds() if row["since"] else None
        slices[_key(row)].append(SliceStatus.model_validate({**row, "age_seconds": age}))
    return Status(
        at=now,
        backfills=[
            BackfillStatus(
                **row,
                bad_reasons=reasons[_key(row)],
                readings=readings[_key(row)],
                run=runs.get(_key(row)),
                slices=slices[_key(row)],
            )
            for row in connection.execute(_SQL["ends"])
        ],
    )


def _key(row: Row) -> _Key:
    return row["backfill"], row["extractor_version"]
