"""The QC report after every run: read back from the database, judged by the backfill's gates."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact

from tasks import backfills
from tasks.adapters import measures, tables
from tasks.adapters.census import take
from tasks.adapters.ledger import looks, rereads, reviews, runs, waves
from tasks.adapters.pages import render, save
from tasks.adapters.postgres import Connection, connect, statements
from tasks.adapters.stages import in_thread
from tasks.adapters.tables import Tables
from tasks.core.answers import BadReason
from tasks.core.backfill import Backfill
from tasks.core.census import Census
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.quality import Quality, Spread, assess, bar
from tasks.core.status import mixture
from tasks.reports.pictures import charts, panels, sample

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
    if cut := report.quality.cut:
        get_run_logger().info("%d texts were cut before they were embedded.", cut)
    get_run_logger().info("QC report: %s", path)
    return report.quality


async def _show(key: str, report: Report) -> None:
    """Put report and sample on the run's page."""
    about = f"the {report.run.kind} run of {report.run.backfill}"
    await acreate_markdown_artifact(
        key=f"{key}-qc", markdown=report.markdown, description=f"Quality of {about}"
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
        quality = _quality(connection, backfill, run)
        if quality.measurements:
            runs.record_measured(connection, run_id, quality.measured)
        here = tables.of(connection, backfill)
        other = measures.other_version(connection, here)
        spreads = _spreads(connection, here, other)
        on_page = panels(connection, backfill, run, quality, estimate)
        return Report(
            run=run,
            quality=quality,
            markdown=render(
                "qc.md",
                backfill=backfill,
                run=run,
                quality=quality,
                spreads=spreads,
                panels=on_page,
                waves=waves.of_run(connection, run_id),
                judged=reviews.judged(connection, name),
                estimate=estimate,
                census=quality.census,
                bar=bar,
                unread=BadReason.UNREAD.explanation,
                mixture=_mixture(connection, backfill),
                now=datetime.now(UTC),
            ),
            charts=charts(backfill, run, quality, on_page, spreads),
            sample=sample(connection, here, run, other),
        )


def _quality(connection: Connection, backfill: Backfill, run: Run) -> Quality:
    run_id = run.run_id
    return assess(
        backfill.gates,
        measures.measure(connection, backfill, run_id),
        _measures(connection, run_id),
        runs.totals(connection, run_id),
        runs.spending(connection, run_id),
        runs.measured_earlier(connection, run_id),
        _census(connection, backfill, run),
    )


def _mixture(connection: Connection, backfill: Backfill) -> str | None:
    """Return by which readings rows stand, where not all of them by the present one."""
    readings = rereads.readings(connection, backfill)
    return mixture(readings) if set(readings) - {backfill.reading} else None


def _spreads(connection: Connection, here: Tables, other: str | None) -> list[Spread]:
    """Return how each closed vocabulary is spread, beside another version where there is one."""
    found = measures.distributions(connection, here, other)
    return [Spread.of(column, other, rows) for column, rows in found.items() if rows]


def _census(connection: Connection, backfill: Backfill, run: Run) -> Census | None:
    """Return what stands; None of a run that looked only at what changed: it counts no more."""
    if run.kind == "incremental" and looks.since(connection, backfill):
        return None
    return take(connection, backfill, run.started_at)


def _measures(connection: Connection, run_id: UUID) -> dict[str, int]:
    rows = connection.execute(_SQL["failures"], {"run_id": run_id})
    return {row["measure"]: row["targets"] for row in rows}


@in_thread
def _save(report: Report) -> Path:
    """Write report, charts and sample under one date; return the report's path."""
    now = datetime.now(UTC)
    name = f"{report.run.backfill}-{report.run.kind}"
    picture = save(f"{name}-charts", report.charts, now, ".svg")
    if report.sample:
        save(f"{name}-sample", report.sample, now)
    return save(name, f"{report.markdown}\n![Charts]({picture.name})\n", now)
