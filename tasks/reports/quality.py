"""The QC report after every run: read back from the database, judged by the backfill's gates."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_image_artifact, acreate_markdown_artifact

from tasks import backfills
from tasks.adapters.ledger import runs
from tasks.adapters.pages import render, save
from tasks.adapters.postgres import Connection, connect, statements
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.quality import Quality, assess, bar
from tasks.reports.pictures import charts, data_uri, sample

_SQL = statements("queries/quality.sql")


@dataclass(frozen=True, slots=True)
class Report:
    """A run, judged and shown."""

    run: Run
    quality: Quality
    markdown: str
    charts: str
    sample: str | None


# Not a task: the UI lists only what a flow itself made under the run's artifacts.
async def judge_quality(name: str, run_id: UUID, estimate: Estimate) -> Quality:
    """Return the run's measurements, shown as artifacts and as dated files."""
    report = await _report(name, run_id, estimate)
    path = await _save(report)
    await _show(name.replace("_", "-"), report)
    for measured in report.quality.measurements:
        get_run_logger().info(measured.sentence())
    get_run_logger().info("QC report: %s", path)
    return report.quality


async def _show(key: str, report: Report) -> None:
    """Put report, charts and sample on the run's page."""
    about = f"the {report.run.kind} run of {report.run.backfill}"
    await acreate_markdown_artifact(
        key=f"{key}-qc", markdown=report.markdown, description=f"Quality of {about}"
    )
    await acreate_image_artifact(
        key=f"{key}-qc-charts",
        image_url=data_uri(report.charts),
        description=f"Charts of {about}",
    )
    if report.sample:
        await acreate_markdown_artifact(
            key=f"{key}-sample",
            markdown=report.sample,
            description=f"Targets of {about} with their evidence, for eyes",
        )


@in_thread
def _report(name: str, run_id: UUID, estimate: Estimate) -> Report:
    backfill = backfills.get(name)
    with connect() as connection:
        run = runs.get(connection, run_id)
        quality = _quality(connection, backfill, run_id)
        distribution = _distribution(connection, backfill, run_id)
        return Report(
            run=run,
            quality=quality,
            markdown=render(
                "qc.md",
                backfill=backfill,
                run=run,
                quality=quality,
                distribution=distribution,
                compared=any(row["theirs"] for row in distribution),
                waves=runs.waves(connection, run_id),
                estimate=estimate,
                bar=bar,
                now=datetime.now(UTC),
            ),
            charts=charts(connection, backfill, run, quality, estimate, distribution),
            sample=sample(connection, backfill, run),
        )


def _quality(connection: Connection, backfill: Backfill, run_id: UUID) -> Quality:
    own = statements(f"queries/{backfill.name}.sql")
    version = {"run_id": run_id, "extractor_version": backfill.extractor_version}
    return assess(
        backfill.gates,
        connection.execute(own["measure"], version).fetchone() or {},
        _measures(connection, run_id),
        runs.totals(connection, run_id),
        runs.spending(connection, run_id),
    )


def _distribution(connection: Connection, backfill: Backfill, run_id: UUID) -> list[dict[str, Any]]:
    own = statements(f"queries/{backfill.name}.sql")
    if "distribution" not in own:
        return []
    version = {"run_id": run_id, "extractor_version": backfill.extractor_version}
    return _with_shares(connection.execute(own["distribution"], version).fetchall())


def _measures(connection: Connection, run_id: UUID) -> dict[str, int]:
    rows = connection.execute(_SQL["failures"], {"run_id": run_id})
    return {row["measure"]: row["targets"] for row in rows}


def _with_shares(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = sum(row["ours"] for row in rows) or 1
    theirs = sum(row["theirs"] for row in rows) or 1
    return [
        {**row, "our_share": row["ours"] / ours, "their_share": row["theirs"] / theirs}
        for row in rows
    ]


@in_thread
def _save(report: Report) -> Path:
    """Write report, charts and sample under one date; return the report's path."""
    now = datetime.now(UTC)
    name = f"{report.run.backfill}-{report.run.kind}"
    picture = save(f"{name}-charts", report.charts, now, ".svg")
    if report.sample:
        save(f"{name}-sample", report.sample, now)
    return save(name, f"{report.markdown}\n![Charts]({picture.name})\n", now)
