"""A small archive to fill, import and look into."""

import csv
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tasks.documents import planning, reporting, slices
from tasks.documents.adapters.place import Place
from tasks.documents.core.reports import Summary

GENERATED = (
    "combo_id",
    "generation_model",
    "generation_status",
    "generation_timestamp",
    "response_file",
)
HEADERS = {
    "draft_generation_results.csv": ["draft_task_id", "draft_template", *GENERATED],
    "link_generation_results.csv": ["link_task_id", "link_template", *GENERATED],
    "essay_generation_results.csv": ["essay_task_id", "essay_template_id", *GENERATED],
    "evaluation_results.csv": [
        "evaluation_task_id",
        "essay_task_id",
        "generation_task_id",
        "evaluation_template",
        "evaluation_model",
        "evaluation_timestamp",
        "response_file",
    ],
}
DRAFTS, LINKS, ESSAYS, EVALUATIONS = HEADERS


class Archive:
    """A handful of CSV rows and response files, and the index that is made of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.responses = self.data / "3_generation"
        self.responses.mkdir(parents=True)
        self.headers = {name: list(header) for name, header in HEADERS.items()}
        self.rows: dict[str, list[dict[str, str]]] = {name: [] for name in HEADERS}

    def draft(self, task_id: str, **cells: str) -> None:
        self._generated(DRAFTS, "draft_task_id", task_id, cells)

    def link(self, task_id: str, **cells: str) -> None:
        self._generated(LINKS, "link_task_id", task_id, cells)

    def essay(self, task_id: str, **cells: str) -> None:
        at = {"generation_timestamp": "2025-01-01T13:00:00Z"}
        self._generated(ESSAYS, "essay_task_id", task_id, at | cells)

    def evaluation(self, task_id: str, **cells: str) -> None:
        told = {
            "evaluation_task_id": task_id,
            "evaluation_template": "novelty",
            "evaluation_model": "judge",
            "evaluation_timestamp": "2025-01-01T14:00:00Z",
        }
        self._add(EVALUATIONS, task_id, told | cells)

    def respond(self, name: str, content: bytes) -> str:
        path = self.responses / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return name

    def save(self, folder: str, name: str, header: list[str], *records: list[str]) -> None:
        (self.data / folder).mkdir(parents=True, exist_ok=True)
        with (self.data / folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *records])

    def write(self) -> None:
        for name, header in self.headers.items():
            records = [[row.get(column, "") for column in header] for row in self.rows[name]]
            self.save("7_cross_experiment", name, header, *records)

    def place(self, run_id: str = "main") -> Place:
        return place_in(self.root, run_id)

    def run(self, run_id: str = "main", repairs: Path | None = None) -> Summary:
        """Write the CSVs and import them; return the numbers."""
        self.write()
        return import_all(self.place(run_id), repairs=repairs)

    def query(self, sql: str) -> list[dict[str, Any]]:
        return query(self.root / "documents.sqlite", sql)

    def one(self, task_id: str) -> dict[str, Any]:
        """Return the only document of a task id."""
        (row,) = [d for d in self.query("select * from documents") if d["task_id"] == task_id]
        return row

    def bad(self) -> dict[str, str]:
        """Return the reasons on the bad list by task id."""
        return {
            row["task_id"]: row["reason"] for row in self.query("select * from bad_generations")
        }

    def parent(self, task_id: str) -> str | None:
        """Return the task id of a document's parent."""
        wanted = self.one(task_id)["parent_doc_id"]
        found = [
            d["task_id"] for d in self.query("select * from documents") if d["doc_id"] == wanted
        ]
        return found[0] if found else None

    def files(self, task_id: str) -> dict[str, bytes]:
        """Return the files of a document's directory."""
        folder = self.root / "docs" / self.one(task_id)["doc_dir"]
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def _generated(self, name: str, key: str, task_id: str, cells: dict[str, str]) -> None:
        told = {
            key: task_id,
            self.headers[name][1]: "template",
            "combo_id": "combo",
            "generation_model": "model",
            "generation_status": "success",
            "generation_timestamp": "2025-01-01T12:00:00Z",
        }
        self._add(name, task_id, told | cells)

    def _add(self, name: str, task_id: str, cells: dict[str, str]) -> None:
        if "response_file" not in cells:
            cells["response_file"] = self.respond(f"{name}/{task_id}.txt", task_id.encode())
        self.rows[name].append(cells)


def place_in(root: Path, run_id: str = "main") -> Place:
    """Return the place of an import below a root, its outputs beside the data."""
    database = root / "documents.sqlite"
    return Place.of(root / "data", run_id, out_root=root / "docs", database=database)


def query(database: Path, sql: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def import_all(place: Place, *, slice_size: int = 7, repairs: Path | None = None) -> Summary:
    """Do what the flow does, in its order, without Prefect."""
    planning.check.fn(place)
    for piece in planning.plan_slices(place, slice_size, repairs):
        slices.import_rows(place, piece)
    return reporting.finish(place, verify=True)


def snapshot(place: Place) -> dict[str, object]:
    """Return every byte under out_root and every row that a user can see."""
    files = {
        path.relative_to(place.out_root).as_posix(): path.read_bytes()
        for path in sorted(place.out_root.rglob("*"))
        if path.is_file()
    }
    if place.bad_list.exists():
        files["bad list"] = place.bad_list.read_bytes()
    asked = {
        "documents": "select * from documents order by doc_id",
        "text": "select * from documents_text order by doc_id",
        "generations": "select * from generations order by run_id, source_csv, row_key",
        "bad": "select * from bad_generations order by source_csv, row_index",
        "lineage": "select * from documents_lineage order by doc_id",
        "latest": "select * from documents_latest_report order by doc_id",
        "counters": "select * from documents_counters",
        "runs": "select * from runs",
    }
    return files | {name: query(place.database, sql) for name, sql in asked.items()}


def forget(place: Place) -> None:
    """Drop the directories and the SQLite file."""
    shutil.rmtree(place.out_root)
    for path in place.database.parent.glob(f"{place.database.name}*"):
        path.unlink()
