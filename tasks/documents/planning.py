"""From CSV files to slices: stage every row, say who its parent is, cut what has no document."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prefect import task
from prefect.cache_policies import RUN_ID

from tasks.adapters import csv_files
from tasks.adapters.allowed import allowed
from tasks.adapters.csv_files import EmptyFileError
from tasks.core.errors import PreflightError
from tasks.documents.adapters import directories, inputs, store
from tasks.documents.adapters.place import Place, make_writable
from tasks.documents.adapters.store import Store
from tasks.documents.core.counts import Portion
from tasks.documents.core.repairs import HEADINGS, repair_rows
from tasks.documents.core.rows import Row, side, staged
from tasks.documents.core.sources import SIDE_TABLES, SOURCES, clean, doubled

# The order matters: keys before repairs, gaps before parents, a person's word last.
_SHOWN = 5
_STEPS = (
    "mark_duplicates",
    "number_row_keys",
    "fill_gaps",
    "apply_repairs",
    "resolve_essays",
    "resolve_evaluations",
    "apply_parent_repairs",
)


@task
def check(place: Place) -> None:
    """Raise one sentence when inputs are missing or outputs cannot be written."""
    inputs.check(place)
    make_writable(place)


# Planned once per flow run: Prefect recognises a retried subflow by its place in the order of
# calls, so a retry must see the same slices in the same order.
@task(cache_policy=RUN_ID, persist_result=True)
def plan(place: Place, slice_size: int, repairs: Path | None) -> list[Portion]:
    """Return the slices of every row that has no document under this run_id yet."""
    return plan_slices(place, slice_size, repairs)


def plan_slices(place: Place, slice_size: int, repairs: Path | None = None) -> list[Portion]:
    """Load the CSVs in one transaction and return the slices, drafts first, evaluations last."""
    directories.clear(place.incoming)
    store.create(place.database)
    corrections = list(_corrections(repairs)) if repairs else []
    with store.opened(place.database, "plan.sql") as index, index.transaction():
        index.run("add_run", {"run_id": place.run_id})
        index.run("make_run_current", {"run_id": place.run_id})
        index.run_many("upsert_repair", corrections)
        _load(place, index)
        for step in _STEPS:
            index.run(step)
        index.run("cut_slices", {"run_id": place.run_id, "slice_size": slice_size})
        _check_repairs(index, corrections)
        return [Portion.model_validate(row) for row in index.rows("list_slices")]


def _load(place: Place, index: Store) -> None:
    index.run("forget_source_rows")
    index.run("forget_side_rows")
    for source in SOURCES:
        with csv_files.reading(place.results / source.name) as (_, header, records):
            index.run_many("insert_source_row", staged(source, header, records))
    for table in SIDE_TABLES:
        path = place.data_root / table.folder / table.name
        with suppress(EmptyFileError):
            if path.is_file():
                with csv_files.reading(path) as (_, header, records):
                    index.run_many("insert_side_row", side(table, header, records))


def _corrections(path: Path) -> Iterator[Row]:
    """Yield what a corrected list of bad generations says in its repair columns."""
    if not allowed(path, "repairs").is_file():
        raise PreflightError(
            f"The list of repairs {path} is not there: name another, or leave it empty."
        )
    with csv_files.reading(path) as (_, header, records):
        if absent := [name for name in HEADINGS if name not in clean(header)]:
            raise PreflightError(
                f"The list of repairs {path} has no {', '.join(absent)}: add what is missing."
            )
        if twice := doubled(HEADINGS, header):
            raise PreflightError(
                f"The list of repairs {path} names {', '.join(twice)} more than once: keep the"
                " column that is right."
            )
        yield from repair_rows(header, records)


def _check_repairs(index: Store, corrections: list[Row]) -> None:
    """Refuse a list that names unknown rows; an old repair whose row is gone harms nobody."""
    strays = {(row["source_csv"], row["row_key"]) for row in index.rows("unknown_repairs")}
    unknown = [
        f"{row['row_key']:.60} of {row['source_csv']:.60}"
        for row in corrections
        if (row["source_csv"], row["row_key"]) in strays
    ]
    if unknown:
        first = ", ".join(unknown[:_SHOWN]) + ", …" * (len(unknown) > _SHOWN)
        raise PreflightError(
            f"Correct source_csv and row_key in the list of repairs: {len(unknown):,} name rows"
            f" that are in no CSV ({first})."
        )
