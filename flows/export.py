"""Results into a file that other tools read."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.adapters.stages import says_why
from tasks.planning.parameters import (
    BackfillName,
    BestOnly,
    ExportFormat,
    ExportPath,
    ExtractorVersion,
)
from tasks.reports.export import export_results


@flow(name="export", flow_run_name="export {name} as {form}")
@says_why
async def export(
    name: BackfillName = "passage_concepts",
    form: ExportFormat = "parquet",
    path: ExportPath = None,
    extractor_version: ExtractorVersion = None,
    best: BestOnly = False,  # noqa: FBT002 - a form has check boxes
) -> State:
    """Write what a backfill produced to one file, on the worker's machine.

    Args:
        name: Which backfill.
        form: Parquet for analysis, CSV for spreadsheets, JSON lines for scripts.
        path: Where to write; empty means the reports directory.
        extractor_version: Which version; empty means the promoted one, or the present one.
        best: One row per target and name, of the promoted version, then as preferences say.
    """
    return await export_results(name, form, path, extractor_version, best=best)
