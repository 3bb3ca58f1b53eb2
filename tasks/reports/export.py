"""Results into a file: one extractor version's, or the best of all versions."""

from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import export
from tasks.adapters.export import Format
from tasks.adapters.postgres import connect, create_views, statements
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.errors import PreflightError


async def export_results(
    name: str, form: Format, path: str | None, extractor_version: str | None, *, best: bool
) -> State:
    """Return a state that says how many rows are in which file."""
    rows, file = await in_thread(write)(name, form, path, extractor_version, best=best)
    message = f"{rows:,} rows of {name} in {file} ({file.stat().st_size:,} bytes)"
    get_run_logger().info(message)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-export", markdown=message, description="Where the rows are"
    )
    return Completed(message=message)


def write(
    name: str, form: Format, path: str | None, extractor_version: str | None, *, best: bool
) -> tuple[int, Path]:
    """Write the rows; return how many, and the file."""
    backfill = backfills.get(name)
    own = statements(f"queries/{name}.sql")
    statement = "export_best" if best else "export"
    if statement not in own:
        raise PreflightError(f"{name} has nothing to export ({statement} in its SQL file).")
    version = extractor_version or backfill.extractor_version
    what = "best" if best else version
    file = Path(path) if path else settings().reports_dir / f"{name}-{what}.{form}"
    if best:
        create_views()
    with connect() as connection:
        values: dict[str, object] = {"extractor_version": version}
        return export.write(connection, own[statement], values, file, form), file
