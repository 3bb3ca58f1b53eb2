"""The CSV files of results: are they there, with the columns that they need?"""

from collections.abc import Iterator

from tasks.adapters import csv_files
from tasks.core.errors import PreflightError
from tasks.documents.adapters.place import Place
from tasks.documents.core.sources import SOURCES, ResultsTable, missing_columns


def check(place: Place) -> None:
    """Raise one sentence that names every required CSV or column that is not there."""
    missing = [s.name for s in SOURCES if not (place.results / s.name).is_file()]
    if missing:
        raise PreflightError(f"Required in {place.results} and not there: {', '.join(missing)}.")
    complaints = [complaint for source in SOURCES for complaint in _complaints(place, source)]
    if complaints:
        raise PreflightError("Columns are missing: " + "; ".join(complaints) + ".")


def _complaints(place: Place, source: ResultsTable) -> Iterator[str]:
    with csv_files.reading(place.results / source.name) as (_, header, _):
        absent = missing_columns(source, header)
    if absent:
        yield f"{source.name} has no {', '.join(absent)}"
