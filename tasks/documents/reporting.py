"""After the slices: does the disk agree with the rows, and what does a person want to know."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.adapters import csv_files
from tasks.adapters.csv_dialects import Dialect
from tasks.core.csv_cells import safe
from tasks.core.errors import SumsError
from tasks.documents import adopting
from tasks.documents.adapters import directories, store
from tasks.documents.adapters.place import Place
from tasks.documents.adapters.store import Store
from tasks.documents.core.reports import Summary, markdown

REPORTS = (
    "documents_latest_report",
    "documents_consistency_report",
    "documents_counters",
)


@task
def report(place: Place, *, verify: bool) -> Summary:
    """Check, write the lists, show the Markdown artifact, and return the numbers."""
    summary = finish(place, verify=verify)
    create_markdown_artifact(
        markdown(summary), key="documents-index", description=f"Documents index, {place.run_id}"
    )
    return summary


def finish(place: Place, *, verify: bool = False) -> Summary:
    """Look at every directory, write the CSV lists, and return the numbers of the run."""
    leftovers = adopting.adopt(place)
    with store.opened(place.database, "reports.sql") as index:
        _refuse_open_rows(index)
        with index.transaction():
            index.run("forget_checks")
            checks = chain(_checks(place, index, verify=verify), _leftovers(leftovers))
            index.run_many("insert_check", checks)
        _list(index, "bad_generations", place.bad_list)
        for name in REPORTS:
            _list(index, name, place.reports / f"{name}.csv")
        return _summary(place, index)


def completed(summary: Summary) -> State[Summary]:
    """Return the state of a run that came to its end, with its sentence."""
    return Completed(message=summary.message, data=summary)


def _list(index: Store, name: str, path: Path) -> None:
    rows = (map(_cell, row.values()) for row in index.rows(name))
    csv_files.replace(path, index.columns(name), rows, Dialect(line_end="\n"))


def _cell(value: object) -> object:
    return safe(value, "quoted") if isinstance(value, str) else value


def _refuse_open_rows(index: Store) -> None:
    (left,) = (row["amount"] for row in index.rows("count_open"))
    if left:
        raise SumsError(f"{left} rows have no end; start a new run, which plans again.")


def _checks(place: Place, index: Store, *, verify: bool) -> Iterator[dict[str, Any]]:
    for row in index.rows("all_directories"):
        wrong = directories.problems(
            place.out_root / row["doc_dir"],
            expects_prompt=bool(row["expects_prompt"]),
            verify=verify,
        )
        wrong += ["unreadable_timestamp"] * row["is_undated"]
        for problem in wrong:
            yield {"doc_dir": row["doc_dir"], "doc_id": row["doc_id"], "problem": problem}


def _leftovers(doc_dirs: list[str]) -> Iterator[dict[str, Any]]:
    for doc_dir in doc_dirs:
        yield {"doc_dir": doc_dir, "doc_id": None, "problem": "directory_without_row"}


def _summary(place: Place, index: Store) -> Summary:
    return Summary(
        run_id=place.run_id,
        counters={row["counter"]: row["amount"] for row in index.rows("counters")},
        ends=list(index.rows("ends")),
        reasons=list(index.rows("reasons")),
        problems=list(index.rows("problems")),
        optional_inputs=list(index.rows("optional_inputs")),
        reports=str(place.reports),
        bad_list=str(place.bad_list),
    )
