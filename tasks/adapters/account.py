"""What lies in the Gemini account and the ledger does not know."""

from datetime import datetime
from typing import Any

from tasks.adapters import queries
from tasks.adapters.database import Connection
from tasks.adapters.gemini import gemini
from tasks.core.audit import Orphan
from tasks.core.models import BatchJob

_SQL = queries.load("queries/audit.sql")


def orphans(connection: Connection) -> tuple[list[Orphan], list[Orphan]]:
    """Return the jobs and the files of the account that no slice of the ledger knows."""
    known = connection.execute(_SQL["known_at_service"]).fetchone() or {}
    names, files = set(known["jobs"] or ()), set(known["files"] or ())
    displayed = set(known["display_names"] or ())
    jobs = [
        _job(job)
        for job in gemini().list_jobs()
        if job.name not in names and job.display_name not in displayed
    ]
    unknown = [_file(file) for file in gemini().list_files() if file.get("name") not in files]
    return jobs, unknown


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
