"""CSV files in: streamed and strict."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.core.errors import PreflightError
from tasks.documents.adapters.place import Place
from tasks.documents.core.sources import SOURCES, clean, missing_columns

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # one cell may hold a whole prompt

Records = Iterator[list[str]]


@contextmanager
def reading(path: Path) -> Iterator[tuple[list[str], Records]]:
    """Yield a CSV's header and its records; blank lines are no records."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = _records(path, csv.reader(file, strict=True))
        header = next(records, [])
        yield clean(header), records


def check_inputs(place: Place) -> None:
    """Raise one sentence that names every required CSV or column that is not there."""
    missing = [s.name for s in SOURCES if not (place.results / s.name).is_file()]
    if missing:
        raise PreflightError(f"Required in {place.results} and not there: {', '.join(missing)}.")
    complaints = [complaint for source in SOURCES for complaint in _columns(place, source.name)]
    if complaints:
        raise PreflightError("Columns are missing: " + "; ".join(complaints) + ".")


def _columns(place: Place, name: str) -> Iterator[str]:
    source = next(source for source in SOURCES if source.name == name)
    with reading(place.results / name) as (header, _):
        absent = missing_columns(source, header)
    if absent:
        yield f"{name} has no {', '.join(absent)}"


def _records(path: Path, reader: Iterator[list[str]]) -> Records:
    """Turn what goes wrong in the middle of a file into a sentence with the file's name."""
    done = 0
    try:
        for record in reader:
            done += 1
            if record:
                yield record
    except csv.Error as error:
        raise PreflightError(
            f"{path} cannot be read as CSV after its record {done}: {error}; mend it and run again."
        ) from None
    except UnicodeDecodeError:
        raise PreflightError(
            f"{path} is not UTF-8 somewhere after its record {done}; save it as UTF-8."
        ) from None
