"""The documents index against its floor: rows a second, ratio, and peak memory.

    python -m bench.documents [ROWS]

The floor copies the same files into the same directories and inserts the same rows into the same
tables, one transaction for every thousand, with no logic and no regard for crashes.
"""

import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

from deployments.local.sample_documents import make_tree
from tasks.documents import planning, reporting, slices
from tasks.documents.adapters import store
from tasks.documents.adapters.place import Place

ROWS_PER_COMBINATION = 3.1
SLICE = 1000


def place_in(root: Path) -> Place:
    """Return where the bench reads and writes."""
    database = root / "documents.sqlite"
    return Place.of(root / "data", "main", out_root=root / "docs", database=database)


def index(root: Path) -> None:
    """Do what the flow does, in this process, and print where the time went."""
    place = place_in(root)
    marks = [time.perf_counter()]
    planning.check.fn(place)
    pieces = planning.plan_slices(place, SLICE)
    marks.append(time.perf_counter())
    for piece in pieces:
        slices.import_rows(place, piece)
    marks.append(time.perf_counter())
    reporting.finish(place)
    marks.append(time.perf_counter())
    plan, work, report = (b - a for a, b in pairwise(marks))
    rows = sum(piece.row_count for piece in pieces)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"index: {rows} rows in {plan + work + report:.1f} s, peak {peak:.0f} MiB")
    print(f"  plan {plan:.1f} s, slices {work:.1f} s, checks and reports {report:.1f} s")


def floor(root: Path) -> float:
    """Copy the finished index's files and rows elsewhere; return the seconds that it took."""
    place, copy = place_in(root), root / "floor"
    store.create(root / "floor.sqlite")
    began = time.perf_counter()
    with (
        closing(sqlite3.connect(place.database)) as source,
        closing(sqlite3.connect(root / "floor.sqlite")) as target,
    ):
        rows = source.execute("select * from documents")
        while batch := list(islice(rows, SLICE)):
            texts = list(_copied(place.out_root, copy, batch))
            marks = ", ".join("?" * len(batch[0]))
            target.executemany(f"insert into documents values ({marks})", batch)  # noqa: S608
            target.executemany("insert into documents_text values (?, ?)", texts)
            target.commit()
    return time.perf_counter() - began


def _copied(source: Path, target: Path, batch: list[tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for doc_id, *_, doc_dir in (row[:9] for row in batch):
        folder = target / doc_dir
        folder.mkdir(parents=True)
        for path in (source / doc_dir).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        yield doc_id, (folder / "parsed.txt").read_text(encoding="utf-8")


def main(rows: int) -> None:
    """Make a tree, index it in a process of its own, and set it beside the floor."""
    root = Path(tempfile.mkdtemp(prefix="bench-documents-"))
    try:
        make_tree(root / "data", int(rows / ROWS_PER_COMBINATION))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "bench.documents", "--index", root], check=True)
        taken = time.perf_counter() - began
        least = floor(root)
        print(f"  {rows / taken:.0f} rows/s with start-up; floor {rows / least:.0f} rows/s")
        print(f"  ratio to the floor {taken / least:.2f} ({taken:.1f} s / {least:.1f} s)")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--index"]:
        index(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
