"""Directories that a crash left without their row, and whose run was not repeated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.documents.adapters import directories, store
from tasks.documents.adapters.place import Place
from tasks.documents.adapters.store import Store
from tasks.documents.core.document import restored


def adopt(place: Place) -> list[str]:
    """Give every whole directory its row; return those that stay without one, as doc_dirs.

    A directory is written before its row, so one without a row is a row that was never committed;
    its metadata.json says all that the row would have said. Drafts come first, so that a parent
    is there before what was made from it.
    """
    with store.opened(place.database, "index.sql") as index, index.transaction():
        return [
            directory.relative_to(place.out_root).as_posix()
            for directory in _without_row(place, index)
            if not _adopted(place, index, directory)
        ]


def _without_row(place: Place, index: Store) -> Iterator[Path]:
    for directory in directories.walk(place.out_root):
        doc_dir = directory.relative_to(place.out_root).as_posix()
        if not any(index.rows("known_directory", {"doc_dir": doc_dir, "doc_id": directory.name})):
            yield directory


def _adopted(place: Place, index: Store, directory: Path) -> bool:
    told = directories.intact(directory)
    if told is None:
        return False
    record = restored(told)
    fits = place.out_root / record["doc_dir"] == directory and _has_parent(index, record)
    return fits and _insert(index, record, directory)


def _has_parent(index: Store, record: dict[str, Any]) -> bool:
    return not record["parent_doc_id"] or any(index.rows("known_parent", record))


def _insert(index: Store, record: dict[str, Any], directory: Path) -> bool:
    """Insert a row as its slice would have; False when its CSV row has another document."""
    if not index.run("insert_document", record):
        return False
    text = (directory / "parsed.txt").read_text(encoding="utf-8")
    index.run("insert_text", {"doc_id": record["doc_id"], "parsed": text})
    index.run("add_run", record)
    index.run("record_end", record | {"state": "written", "reason": None, "detail": None})
    return True
