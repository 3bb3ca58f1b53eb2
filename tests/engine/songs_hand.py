"""Songs as CSV files, and what came out of a run."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from deployments.local.sample_songs import HEADER, songs

Row = tuple[str, ...]

GENERATED = (
    "ai_status",
    "ai_error_message",
    "ai_reasoning",
    "ai_context_used",
    "ai_energy",
    "ai_accessibility",
    "ai_subgenre_1",
    "ai_subgenre_2",
    "ai_subgenre_3",
)


def write_csv(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER, **how: str
) -> Path:
    """Write a CSV as a spreadsheet does; return its path."""
    with path.open("w", encoding=how.pop("encoding", "utf-8"), newline="") as file:
        writer = csv.writer(file, **how)  # type: ignore[arg-type]
        writer.writerow(header)
        writer.writerows(rows)
    return path


def read_csv(path: Path, **how: str) -> tuple[Row, list[Row]]:
    """Return a CSV's header and rows."""
    with path.open(encoding=how.pop("encoding", "utf-8"), newline="") as file:
        reader = csv.reader(file, strict=True, **how)  # type: ignore[arg-type]
        header, *rows = (tuple(record) for record in reader)
    return header, rows


def originals(rows: Iterable[Row]) -> list[Row]:
    return [row[: len(HEADER)] for row in rows]


def generated(rows: Iterable[Row]) -> list[Row]:
    return [row[-len(GENERATED) :] for row in rows]


def is_answered(row: Row) -> bool:
    """Return whether a row has its answer."""
    return row[-len(GENERATED)] in {"SUCCESS", "HUMAN_REVIEW"}


def sample(count: int) -> list[Row]:
    """Return rows of different songs, as the sample has them."""
    found = {(row[1], row[0]): row for row in songs(count * 2)}
    return list(found.values())[:count]
