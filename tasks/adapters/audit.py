"""The database, the machine and the account as they are; nothing is changed."""

import importlib.metadata
import platform
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from tasks.adapters import leases, tables
from tasks.adapters.census import take
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import rollbacks
from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.settings import settings
from tasks.adapters.tables import Tables
from tasks.adapters.workspace import free_bytes
from tasks.core.audit import (
    Advice,
    Checkpoint,
    Coverage,
    Judged,
    Orphan,
    Worth,
    judge,
    measured_as,
    unindexed,
)
from tasks.core.backfill import Backfill
from tasks.core.census import Census
from tasks.core.errors import BackfillError, PreflightError
from tasks.core.identity import table_name, written
from tasks.core.models import BatchJob
from tasks.core.places import NewRows, Rows

PACKAGES = ("prefect", "prefect-sqlalchemy", "google-genai", "pydantic", "psycopg", "sqlalchemy")
WHILE = timedelta(hours=1)
"""How long after a slice's end its run may still be about to delete its job and files."""

LEDGER = ("backfill.generations", "backfill.slices", "backfill.runs", "kb_migrations")
_SQL = statements("queries/audit.sql")


@dataclass(frozen=True, slots=True)
class Disk:
    """A directory that the product writes to."""

    purpose: str
    path: Path
    free_bytes: int


class AtService(NamedTuple):
    """What lies in the account: jobs and files unknown to the ledger, and what it needs no more."""

    jobs: list[Orphan]
    files: list[Orphan]
    needless: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """One backfill beside its tables."""

    backfill: Backfill
    coverage: Coverage | None
    versions: list[Row] = field(default_factory=list)
    census: Census = field(default_factory=Census)
    advice: list[Advice] = field(default_factory=list)


def packages() -> dict[str, str]:
    """Return the versions of Python and of what the product stands on."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def disks() -> list[Disk]:
    """Return the free space where request files and reports are written."""
    here = settings()
    places = {"request files": here.work_dir, "reports": here.reports_dir}
    return [Disk(what, path, free_bytes(path) or 0) for what, path in places.items()]


def server(connection: Connection) -> Row:
    """Return which database this is, and how large."""
    return connection.execute(_SQL["server"]).fetchone() or {}


def sizes(connection: Connection, backfills: list[Backfill]) -> list[Row]:
    """Return sizes and indexes of the user's tables and the ledger's."""
    names = {name for backfill in backfills for name in _tables(backfill)}
    return connection.execute(_SQL["tables"], {"tables": sorted({*names, *LEDGER})}).fetchall()


def inspect(connection: Connection, backfill: Backfill) -> Inspected | None:
    """Return a backfill's coverage, versions and missing indexes.

    None without its tables, unless the site names them: then raise PreflightError.
    """
    try:
        here = tables.of(connection, backfill)
    except PreflightError:
        if backfill.site:
            raise
        return None
    versions = here.over_rows("versions") if here.has_versions else None
    return Inspected(
        backfill,
        _coverage(connection, here),
        connection.execute(versions, here.values()).fetchall() if versions else [],
        take(connection, backfill),
        _advice(connection, here),  # the last, because it forbids scans
    )


def checkpoints(
    connection: Connection, inspected: list[Inspected], stale_after: timedelta
) -> list[Judged]:
    """Return every job of kb_migrations beside what was measured of it, false claims first."""
    ours = {each.backfill.checkpoint: each for each in inspected}
    known = [each.backfill for each in inspected]
    known += _by_catalog(connection, known[0]) if known else []
    clock = connection.execute(_SQL["clock"]).fetchone() or {}
    judged = []
    for row in connection.execute(_SQL["checkpoints"]).fetchall():
        job, own = Checkpoint(**row), ours.get(row["job_name"])
        backfill = own.backfill if own else measured_as(job.job_name, known)
        coverage = own.coverage if own else _foreign(connection, backfill)
        at_work = _is_at_work(connection, backfill)
        judged.append(judge(job, coverage, clock["now"], stale_after, is_at_work=at_work))
    return sorted(judged, key=lambda each: Worth.NOT_COMPLETE not in each.worth)


def _is_at_work(connection: Connection, backfill: Backfill | None) -> bool | None:
    """Return whether a run is at work; None of a job that is not ours, in no version."""
    if backfill is None or not rollbacks.knows(connection, backfill):
        return None
    return leases.holder_of("run", backfill.name) is not None


def _foreign(connection: Connection, backfill: Backfill | None) -> Coverage | None:
    """Return what the job of another tool, or of another version, has done in a known table."""
    with suppress(BackfillError, psycopg.Error), connection.transaction():
        return _coverage(connection, tables.of(connection, backfill)) if backfill else None
    return None


def _by_catalog(connection: Connection, like: Backfill) -> list[Backfill]:
    """Return what the database says of tables that hold several versions' rows about another's."""
    return [
        replace(
            like,
            name=row["target"],
            source=Rows(
                table=written(row["source_schema"], row["source"]),
                id=row["source_id"],
                text=f"{{{row['source_id']}}}",
            ),
            target=NewRows(written(row["target_schema"], row["target"]), row["target_id"]),
        )
        for row in connection.execute(_SQL["tables_with_versions"])
    ]


def at_service(connection: Connection, ended_for: timedelta = WHILE) -> AtService:
    """Return what lies in the account that no slice needs, or that none knows."""
    row = connection.execute(_SQL["known_at_service"], {"while": ended_for}).fetchone() or {}
    known = {name: set(row[name] or ()) for name in row}
    jobs, files = [*gemini().list_jobs()], [*gemini().list_files()]
    unknown = [
        _job(job)
        for job in jobs
        if job.name not in known["jobs"] and job.display_name not in known["display_names"]
    ]
    strange = [_file(file) for file in files if file.get("name") not in known["files"]]
    needless = sum(job.name in known["needless_jobs"] for job in jobs)
    needless += sum(file.get("name") in known["needless_files"] for file in files)
    return AtService(unknown, strange, needless)


def _job(job: BatchJob) -> Orphan:
    requests = int(job.stats.get("requestCount", 0))
    return Orphan(job.name, job.display_name, job.state, job.create_time, requests=requests)


def _file(file: dict[str, Any]) -> Orphan:
    return Orphan(
        name=file["name"],
        display_name=file.get("displayName"),
        state=file.get("state", "unknown"),
        created_at=_time(file.get("createTime")),
        expires_at=_time(file.get("expirationTime")),
        size_bytes=int(file.get("sizeBytes", 0)),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _coverage(connection: Connection, here: Tables) -> Coverage:
    version = here.backfill.in_ledger
    values = here.values()
    row = tables.one(connection, here.over_candidates("coverage"), values)
    last = tables.one(connection, here.over_candidates("last_target"), values)
    ended = connection.execute(_SQL["ended"], version).fetchone() or {}
    return Coverage(
        targets=row["all_targets"],
        with_rows=row["targets_with_rows"],
        without_rows=ended["without_rows"],
        last_target=last["target_id"],
    )


def _advice(connection: Connection, here: Tables) -> list[Advice]:
    """Ask Postgres how it would run the backfill's own statements if it had to use indexes."""
    values = {**here.values(), "target_ids": "{}"}
    checked = {"planning": here.candidates(), "reading texts": here.texts()}
    if here.has_versions:
        checked["replacing rows"] = here.over_rows("delete_records")
    connection.execute(_SQL["without_scans"])
    found: dict[tuple[str, tuple[str, ...]], Advice] = {}
    for name, statement in checked.items():
        explain = sql.SQL("explain (format json, verbose) ") + statement
        for advice in unindexed(_plan(connection.execute(explain, values).fetchone()), name):
            found.setdefault((advice.table, advice.columns), advice)
    return list(found.values())


def _tables(backfill: Backfill) -> list[str]:
    source, target = backfill.source, backfill.target
    found = [source.table] if isinstance(source, Rows) else ["backfill.csv_rows"]
    found += [target.table] if isinstance(target, NewRows) else []
    return [table_name(name).quoted for name in found]


def _plan(row: Row | None) -> dict[str, Any]:
    plan: dict[str, Any] = (row or {})["QUERY PLAN"][0]["Plan"]
    return plan
