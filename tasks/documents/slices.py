"""One slice: read concurrently, make directories, then one transaction for all its rows."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prefect import task

from tasks.documents.adapters import directories, responses, store
from tasks.documents.adapters.place import Place
from tasks.documents.adapters.responses import UnusableFileError
from tasks.documents.core import counts
from tasks.documents.core.counts import Portion, PortionCount
from tasks.documents.core.document import RowEnd, build, logical_key, refusal

READERS = 8

Row = dict[str, Any]


@task(retries=2, retry_delay_seconds=5, task_run_name="import {piece.slice_id}")
def import_slice(place: Place, piece: Portion) -> PortionCount:
    """Import one slice and return what became of its rows; again changes nothing."""
    return import_rows(place, piece)


def import_rows(place: Place, piece: Portion) -> PortionCount:
    """Bring the directories of a slice to disk, then its rows into the index."""
    with store.opened(place.database, "index.sql") as index:
        wanted = {"run_id": place.run_id, "slice_id": piece.slice_id}
        rows = list(index.rows("select_slice", wanted))
        with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers:
            ends = list(readers.map(lambda row: _end(place, row), rows))
        summary = counts.count(piece, ends)
        written = [end.record for end in ends if end.record]
        _publish(place, written)
        with index.transaction():
            _insert(place, index, written)
            index.run_many("record_end", _generations(place, rows, ends))
    return summary


def _end(place: Place, row: Row) -> RowEnd:
    """Return where a row ends; for a written one its directory is prepared by then."""
    if refused := refusal(row):
        return refused
    try:
        raw = responses.read_response(place, row)
    except UnusableFileError as error:
        return RowEnd("bad", error.reason, error.detail)
    document = build(row, place.run_id, raw, responses.read_prompt(place, row))
    directories.prepare(place.out_root, place.incoming, document)
    return RowEnd("written", record=document.record)


def _publish(place: Place, records: list[Row]) -> None:
    """Bring directories to disk, then their names; after this, rows may tell of them."""
    directories.harden(place.out_root, directories.prepared(place.incoming, records))
    for record in records:
        directories.publish(place.out_root, place.incoming, record)
    directories.harden(place.out_root, directories.published(place.out_root, records))


def _insert(place: Place, index: store.Store, records: Iterable[Row]) -> None:
    """Insert rows and their text, which is read back from disk so that no slice is held at once."""
    for record in records:
        if index.run("insert_document", record):
            text = (place.out_root / record["doc_dir"] / "parsed.txt").read_text(encoding="utf-8")
            index.run("insert_text", {"doc_id": record["doc_id"], "parsed": text})


def _generations(place: Place, rows: list[Row], ends: list[RowEnd]) -> Iterator[Row]:
    for row, end in zip(rows, ends, strict=True):
        yield {
            "run_id": place.run_id,
            "source_csv": row["source_csv"],
            "row_key": row["row_key"],
            "state": end.state,
            "reason": end.reason,
            "detail": end.detail,
            "doc_id": end.record["doc_id"] if end.record else None,
            "logical_key_id": logical_key(row),
        }
