"""Results into a file: one extractor version's, or the best of all versions."""

from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import exports, tables, views
from tasks.adapters.allowed import allowed
from tasks.adapters.exports import Format
from tasks.adapters.ledger import promotions
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.adapters.whole_files import unwritable
from tasks.core.errors import PreflightError
from tasks.core.markdown import inert
from tasks.core.places import NewRows


async def export_results(
    name: str, form: Format, path: str | None, extractor_version: str | None, *, best: bool
) -> State:
    """Return a state that says how many rows are in which file."""
    rows, file = await in_thread(write)(name, form, path, extractor_version, best=best)
    message = f"{rows:,} rows of {name} in {file} ({file.stat().st_size:,} bytes)"
    get_run_logger().info(message)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-export",
        markdown=str(inert(message)),
        description="Where the rows are",
    )
    return Completed(message=message)


def write(
    name: str, form: Format, path: str | None, extractor_version: str | None, *, best: bool
) -> tuple[int, Path]:
    """Write the rows; return how many, and the file."""
    backfill = backfills.get(name)
    if best and not isinstance(backfill.target, NewRows):
        raise PreflightError(
            f"{name} has one row per target: there is no better one to choose; leave out `best`."
        )
    with connect() as connection:
        version = extractor_version or promotions.readers_version(connection, backfill)
        what = "best" if best else version
        file = allowed(path, "path") if path else settings().reports_dir / f"{name}-{what}.{form}"
        if why := unwritable(file):
            raise PreflightError(f"The rows cannot be written to {file}: {why}.")
        views.create_on(connection, backfill)
        here = tables.of(connection, backfill)
        statement = exports.best(here) if best else exports.everything(here)
        values = {**here.values(), "extractor_version": version}
        rows = exports.write(
            connection,
            statement,
            values,
            file,
            form,
            formulas=backfill.formulas,
        )
        return rows, file
