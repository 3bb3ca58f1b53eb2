"""The audit: environment, database and account as they are, claims beside measurements."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from prefect import get_client, get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import audit
from tasks.adapters.audit import Disk, Inspected
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import runs, tries
from tasks.adapters.ledger.slices import older_in_flight
from tasks.adapters.migrations import pending_migrations
from tasks.adapters.pages import render, save
from tasks.adapters.postgres import Connection, Row, connect
from tasks.adapters.reference import models
from tasks.adapters.stages import in_thread
from tasks.core.audit import STORAGE_BYTES, Advice, Judged, Orphan
from tasks.core.backfill import Backfill
from tasks.core.errors import BackfillError
from tasks.core.model_table import FRESH, ModelTable
from tasks.core.money import Estimate
from tasks.core.status import sent_under
from tasks.planning.dry_run import estimate_rest

LEAST_DISK_BYTES = 2_000_000_000


@dataclass
class Audit:
    """Everything that an audit looked at; `findings` is what a person should read first."""

    now: datetime
    packages: dict[str, str]
    prefect_server: str
    disks: list[Disk]
    table: ModelTable
    findings: list[str] = field(default_factory=list)
    server: Row = field(default_factory=dict)
    tables: list[Row] = field(default_factory=list)
    inspected: list[Inspected] = field(default_factory=list)
    checkpoints: list[Judged] = field(default_factory=list)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    open_targets: dict[str, int] = field(default_factory=dict)
    spent_apart: dict[str, float] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    jobs: list[Orphan] | None = None
    files: list[Orphan] | None = None


async def take_audit(stale_hours: float) -> State:
    """Return a state with the number of findings; the report is an artifact and a dated file."""
    async with get_client() as client:
        prefect_server = await client.api_version()
    found = await in_thread(look)(prefect_server, timedelta(hours=stale_hours))
    markdown = write(found)
    path = await in_thread(save)("audit", markdown, found.now)
    await acreate_markdown_artifact(
        key="audit", markdown=markdown, description="The environment and the database as they are"
    )
    for finding in found.findings:
        get_run_logger().warning(finding)
    get_run_logger().info("Audit report: %s", path)
    count = len(found.findings)
    message = f"{count} findings: {found.findings[0]}" if count else "Nothing to find fault with."
    return Completed(message=message)


def look(prefect_server: str, stale_after: timedelta) -> Audit:
    """Return the audit; what cannot be reached is a finding, not the end of it."""
    found = Audit(datetime.now(UTC), audit.packages(), prefect_server, audit.disks(), models())
    found.findings += [
        f"Only {_gb(disk.free_bytes)} are free for {disk.purpose} in {disk.path}."
        for disk in found.disks
        if disk.free_bytes < LEAST_DISK_BYTES
    ]
    _ask_models(found)
    try:
        with connect() as connection:
            _read_database(connection, found, stale_after)
    except BackfillError as error:
        found.findings.append(str(error))
    return found


def write(found: Audit) -> str:
    """Return the audit as Markdown."""
    return render("audit.md", audit=found, gb=_gb, quota=STORAGE_BYTES)


def _ask_models(found: Audit) -> None:
    used = {model for name in backfills.names() for model in backfills.get(name).models}
    for model in sorted(used):
        try:
            gemini().check_model(model)
            found.models[model] = "the service knows it"
        except BackfillError as error:
            found.models[model] = str(error)
            found.findings.append(f"Model {model}: {error}")
        found.findings += models().remarks(model, found.now.date())
    if stale := models().stale(found.now.date()):
        found.findings.append(
            f"{len(stale)} rows of tasks/models.toml were read more than {FRESH.days} days ago"
            f" ({', '.join(stale)}): read Google's pages again, and correct them."
        )


def _read_database(connection: Connection, found: Audit, stale_after: timedelta) -> None:
    found.server = audit.server(connection)
    if missing := pending_migrations(connection):
        found.findings.append(
            f"The ledger's schema is old or absent ({', '.join(missing)} not applied):"
            " run `make deploy`."
        )
        return
    known = [backfills.get(name) for name in backfills.names()]
    found.tables = audit.sizes(connection, known)
    for backfill in known:
        try:
            _inspect(connection, found, backfill)
        except (BackfillError, psycopg.Error) as error:
            said = str(error).splitlines()[0].rstrip(".")
            found.findings.append(f"{backfill.name} cannot be looked at: {said}.")
        connection.rollback()
    found.checkpoints = audit.checkpoints(connection, found.inspected, stale_after)
    found.findings += [each for judged in found.checkpoints for each in judged.sentences]
    _estimate(found)
    _look_for_orphans(connection, found)


def _inspect(connection: Connection, found: Audit, backfill: Backfill) -> None:
    if each := audit.inspect(connection, backfill):
        found.inspected.append(each)
        found.spent_apart[backfill.name] = tries.spent(connection, backfill.name)
        found.open_targets[backfill.name] = runs.open_targets(connection, backfill)
        found.findings += [f"No index serves {_told(advice)}" for advice in each.advice]
        found.findings += each.census.findings(backfill.name)
        sent = Counter(one.extractor_version for one in older_in_flight(connection, backfill))
        found.findings += [f"{backfill.name}: {sent_under(*each)}" for each in sent.items()]


def _estimate(found: Audit) -> None:
    for each in found.inspected:
        try:
            found.estimates[each.backfill.name] = estimate_rest(each.backfill.name)
        except BackfillError as error:
            found.findings.append(f"{each.backfill.name} cannot be estimated: {error}")


def _look_for_orphans(connection: Connection, found: Audit) -> None:
    try:
        found.jobs, found.files, needless = audit.at_service(connection)
    except BackfillError as error:
        found.findings.append(f"The Gemini account cannot be looked at: {error}")
        return
    if working := [job for job in found.jobs if job.state in ("PENDING", "RUNNING")]:
        requests = sum(job.requests for job in working)
        found.findings.append(
            f"{len(working)} batch jobs with {requests:,} requests run in the account and the"
            f" ledger does not know them ({working[0].name}, …): they will be billed."
        )
    if held := sum(file.size_bytes for file in found.files):
        found.findings.append(
            f"{len(found.files)} files in the account are unknown to the ledger: {_gb(held)} of the"
            f" {_gb(STORAGE_BYTES)} that a project may hold; free of charge, gone after 48 h."
        )
    if ours := sum(each.is_ours for each in (*found.jobs, *found.files)):
        found.findings.append(
            f"{ours} of these jobs and files have names of ours: they are of another ledger, or of"
            " one that was lost; the page says how to remove them."
        )
    if needless:
        found.findings.append(
            f"{needless} jobs and files at the service are of slices that ended more than an hour"
            " ago: the next run of their backfill removes them; of files nothing stays for 48 h."
        )


def _told(advice: Advice) -> str:
    return f"{advice.statement} on {advice.table}: {advice.remedy}"


def _gb(size: float) -> str:
    """Return a size as people say it."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:  # noqa: PLR2004 - a thousand of the unit is one of the next
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
