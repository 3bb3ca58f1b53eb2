"""The QC report after every run: read back from the database, judged by the backfill's gates."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks import backfills
from tasks.adapters import queries
from tasks.adapters.database import Connection, connect
from tasks.adapters.ledger import runs, waves
from tasks.adapters.settings import settings
from tasks.adapters.templates import render
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.quality import Quality, assess, bar

_SQL = queries.load("queries/quality.sql")


@task(task_run_name="QC of {name}", cache_policy=NO_CACHE)
async def judge_quality(name: str, run_id: UUID, estimate: Estimate) -> Quality:
    """Return the run's measurements and verdicts, shown as an artifact and as a dated file."""
    run, quality, markdown = await asyncio.to_thread(_report, name, run_id, estimate)
    path = await asyncio.to_thread(_save, run, markdown)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-qc",
        markdown=markdown,
        description=f"Quality of the {run.kind} run of {name}",
    )
    for verdict in quality.verdicts:
        get_run_logger().info(verdict.sentence())
    get_run_logger().info("QC report: %s", path)
    return quality


def _report(name: str, run_id: UUID, estimate: Estimate) -> tuple[Run, Quality, str]:
    backfill = backfills.get(name)
    sql = queries.load(f"queries/{name}.sql")
    version = {"run_id": run_id, "extractor_version": backfill.extractor_version}
    with connect() as connection:
        run = runs.get(connection, run_id)
        quality = assess(
            backfill.gates,
            connection.execute(sql["measure"], version).fetchone() or {},
            _measures(connection, run_id),
            runs.totals(connection, run_id),
            runs.spending(connection, run_id),
        )
        distribution = (
            connection.execute(sql["distribution"], version).fetchall()
            if "distribution" in sql
            else []
        )
        by_wave = waves.of_run(connection, run_id)
    markdown = render(
        "qc.md",
        backfill=backfill,
        run=run,
        quality=quality,
        distribution=_with_shares(distribution),
        compared=any(row["theirs"] for row in distribution),
        waves=by_wave,
        estimate=estimate,
        bar=bar,
        now=datetime.now(UTC),
    )
    return run, quality, markdown


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


def _save(run: Run, markdown: str) -> Path:
    directory = settings().reports_dir
    directory.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    path = directory / f"{stamp}-{run.backfill}-{run.kind}.md"
    path.write_text(markdown, encoding="utf-8")
    return path
