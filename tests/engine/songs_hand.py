"""Songs as CSV files, and what came out of a run."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from deployments.local.sample_songs import songs
from tasks.backfills.songs import GENERATED, ORIGINAL

Row = tuple[str, ...]


def write_csv(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ORIGINAL, **how: str
) -> Path:
    """Write a CSV as a spreadsheet does; return its path."""
    with path.open("w", encoding=how.pop("encoding", "utf-8"), newline="") as file:
        writer = csv.writer(file, **how)  # type: ignore[arg-type]
        writer.writerow(header)
        writer.writerows(rows)
    return path


def read_csv(path: Path) -> tuple[Row, list[Row]]:
    """Return a CSV's header and rows."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = (tuple(record) for record in csv.reader(file, strict=True))
    return header, rows


def originals(rows: Iterable[Row]) -> list[Row]:
    return [row[: len(ORIGINAL)] for row in rows]


def generated(rows: Iterable[Row]) -> list[Row]:
    return [row[-len(GENERATED) :] for row in rows]


def sample(count: int) -> list[Row]:
    return list(songs(count))
