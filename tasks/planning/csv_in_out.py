"""CSV at the two ends of a run: rows come in before it, and go out after every wave."""

from pathlib import Path

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import csv_rows
from tasks.adapters.allowed import allowed
from tasks.adapters.migrations import pending_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import stage
from tasks.core.errors import PreflightError
from tasks.core.places import CsvRows

SAMPLES = ".local/samples"
"""Where `make up` puts the file that it makes."""

_left_as: dict[str, tuple[int, int] | None] = {}
"""When this run last saw a file, and its size then."""


@stage("import {path}")
def import_csv(name: str, path: str) -> None:
    """Let the ledger hold exactly this file's rows, beside those of other files."""
    backfill = backfills.get(name)
    if Path(path).absolute().parent.match(SAMPLES) and not settings().gemini_url:
        raise PreflightError(
            f"{path} holds sample songs, and your key would pay for their answers: give a CSV of"
            " your own, or unset GEMINI_API_KEY and `make up` again to have the emulator answer."
        )
    _left_as[csv_rows.key(Path(path))] = _state(path)
    with connect() as connection:
        if pending_migrations(connection):
            return  # preflight, which comes next, says so
        brought = csv_rows.bring_in(connection, backfill, allowed(path, "csv_in"))
        said = csv_rows.doubled(connection, backfill, csv_rows.key(Path(path)))
    get_run_logger().info("%d rows came in from %s (%s).", brought.rows, path, brought.how)
    if said:
        get_run_logger().warning(said)


@stage("export {path}")
def export_csv(name: str, csv_in: str, path: str) -> None:
    """Write a file's rows, with what there is for them by now, to a file that appears as a whole.

    Without `csv_in` the rows of all files go out, one file after the other. A file that is to be
    replaced by itself stays as it is when somebody has written to it meanwhile.
    """
    backfill = backfills.get(name)
    if not isinstance(backfill.source, CsvRows):
        raise PreflightError(f"{name} writes into tables: leave csv_out empty.")
    file = csv_rows.key(Path(csv_in)) if csv_in else None
    if file == csv_rows.key(Path(path)) and _left_as.get(file) not in {None, _state(path)}:
        get_run_logger().warning(
            "%s was changed while its rows were asked, and is left as it is: run again, and it gets"
            " its answers.",
            path,
        )
        return
    with connect() as connection:
        rows = csv_rows.take_out(connection, backfill, file, allowed(path, "csv_out"))
    _left_as[csv_rows.key(Path(path))] = _state(path)
    get_run_logger().info("%d rows went out to %s.", rows, path)


def _state(path: str) -> tuple[int, int] | None:
    file = Path(path)
    return (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else None
