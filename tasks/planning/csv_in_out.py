"""CSV at the two ends of a run: rows come in before it, and go out after every wave."""

import asyncio
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks import backfills
from tasks.adapters import csv_rows
from tasks.adapters.database import connect
from tasks.core.backfill import CsvRows
from tasks.core.errors import PreflightError


@task(task_run_name="import {path}", cache_policy=NO_CACHE)
async def import_csv(name: str, path: str) -> None:
    """Let the ledger hold exactly this file's rows, beside those of other files."""
    if path:
        rows = await asyncio.to_thread(_import_csv, name, path)
        get_run_logger().info("%d rows came in from %s.", rows, path)


@task(task_run_name="export {path}", cache_policy=NO_CACHE)
async def export_csv(name: str, csv_in: str, path: str) -> None:
    """Write a file's rows, with what there is for them by now, to a file that appears as a whole.

    Without `csv_in` the rows of all files go out, one file after the other.
    """
    if path:
        rows = await asyncio.to_thread(_export_csv, name, csv_in, path)
        get_run_logger().info("%d rows went out to %s.", rows, path)


def _import_csv(name: str, path: str) -> int:
    backfill = backfills.get(name)
    with connect() as connection:
        rows = csv_rows.bring_in(connection, backfill, Path(path))
        if said := csv_rows.doubled(connection, backfill, csv_rows.key(Path(path))):
            get_run_logger().warning(said)
        return rows


def _export_csv(name: str, csv_in: str, path: str) -> int:
    backfill = backfills.get(name)
    if not isinstance(backfill.source, CsvRows):
        raise PreflightError(f"{name} writes into tables: leave csv_out empty.")
    file = csv_rows.key(Path(csv_in)) if csv_in else None
    with connect() as connection:
        return csv_rows.take_out(connection, backfill, file, Path(path))
