"""CSV at the two ends of a run: rows come in before it, and go out after every wave."""

from pathlib import Path

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import exchange
from tasks.adapters.stages import stage


@stage("import {path}")
def import_csv(name: str, path: str) -> None:
    """Let the backfill's table hold exactly this file's rows; without a file leave it as it is."""
    if path:
        rows = exchange.bring_in(backfills.get(name), Path(path))
        get_run_logger().info("%d rows came in from %s.", rows, path)


@stage("export {path}")
def export_csv(name: str, path: str) -> None:
    """Write all rows, with what there is for them by now, to a file that appears as a whole."""
    if path:
        rows = exchange.take_out(backfills.get(name), Path(path))
        get_run_logger().info("%d rows went out to %s.", rows, path)
