"""The CSV files of results: are they there, with the columns that they need, each once?"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

from tasks.adapters import csv_files
from tasks.adapters.csv_files import EmptyFileError
from tasks.core.errors import PreflightError
from tasks.documents.adapters.place import Place
from tasks.documents.core.sources import (
    SIDE_TABLES,
    SOURCES,
    ResultsTable,
    doubled,
    missing_columns,
)

Headings = Mapping[str, tuple[str, ...]]


def check(place: Place) -> None:
    """Raise one sentence that names every required CSV or column that is not there, or twice."""
    missing = [s.name for s in SOURCES if not (place.results / s.name).is_file()]
    if missing:
        raise PreflightError(
            f"Required in {place.results} and not there: {', '.join(missing)}. Put them there, or"
            " name another data_root."
        )
    complaints = [complaint for source in SOURCES for complaint in _complaints(place, source)]
    if complaints:
        raise PreflightError("Columns are missing, add them: " + "; ".join(complaints) + ".")
    twice = [said for path, headings in _tables(place) for said in _twice(path, headings)]
    if twice:
        raise PreflightError("; ".join(twice) + ": keep the column that is right.")


def _tables(place: Place) -> Iterator[tuple[Path, Headings]]:
    yield from ((place.results / source.name, source.headings) for source in SOURCES)
    sides = ((place.data_root / side.folder / side.name, side.headings) for side in SIDE_TABLES)
    yield from ((path, headings) for path, headings in sides if path.is_file())


def _twice(path: Path, headings: Headings) -> Iterator[str]:
    with suppress(EmptyFileError), csv_files.reading(path) as (_, header, _):
        if names := doubled(chain.from_iterable(headings.values()), header):
            yield f"{path.name} names {', '.join(names)} more than once"


def _complaints(place: Place, source: ResultsTable) -> Iterator[str]:
    with csv_files.reading(place.results / source.name) as (_, header, _):
        absent = missing_columns(source, header)
    if absent:
        yield f"{source.name} has no {', '.join(absent)}"
