"""After the slices: does the disk agree with the rows, and what does a person want to know."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact

from tasks.adapters import csv_files
from tasks.core.errors import SumsError
from tasks.documents import adopting
from tasks.documents.adapters import directories, store
from tasks.documents.adapters.place import Place
from tasks.documents.adapters.store import Store
from tasks.documents.core.reports import Summary, markdown

REPORTS = (
    "bad_generations",
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
        for name in REPORTS:
            rows = (row.values() for row in index.rows(name))
            path = place.reports / f"{name}.csv"
            csv_files.replace(path, index.columns(name), rows, line_end="\n")
        return _summary(place, index)


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
    )
