"""Rows that were put before people, and what they said of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from tasks.adapters.postgres import Connection, Row, statements
from tasks.core.backfill import Backfill
from tasks.core.reviewing import Judged, Line

_SQL = statements("queries/reviews.sql")


class Reviewed(NamedTuple):
    """A row as it stood when it was put before people, and why it was."""

    target_id: str
    found: Row
    chosen: Sequence[str]


class Known(NamedTuple):
    """A row that was reviewed, with what was said of it so far."""

    review_id: int
    extractor_version: str
    target_id: str
    found: Row | None
    verdict: str | None
    corrected: Row | None
    comment: str | None

    def says(self, line: Line, corrected: Row | None) -> bool:
        """Return whether it was said already."""
        said = (self.verdict, self.corrected, self.comment)
        return said == (line.verdict, corrected, line.comment or None)


def add(
    connection: Connection, backfill: Backfill, rows: Sequence[Reviewed], flow_run_id: str | None
) -> list[int]:
    """Note rows that are put before people; return their numbers."""
    values = {
        **backfill.in_ledger,
        "target_ids": [row.target_id for row in rows],
        "found": [Jsonb(row.found) for row in rows],
        "chosen": ["; ".join(row.chosen) for row in rows],
        "flow_run_id": flow_run_id,
    }
    return [row["review_id"] for row in connection.execute(_SQL["add"], values)]


def known(connection: Connection, name: str, lines: Sequence[Line]) -> dict[int, Known]:
    """Return the reviews that lines name, by their numbers."""
    ids = [line.review_id for line in lines if line.review_id is not None]
    found = connection.execute(_SQL["known"], {"backfill": name, "review_ids": ids})
    return {row["review_id"]: Known(**row) for row in found}


def sampled(connection: Connection, name: str, lines: Sequence[Line]) -> dict[str, Row]:
    """Return extractor_version and chosen of the targets that lines name, where they are known."""
    ids = [line.target_id for line in lines]
    found = connection.execute(_SQL["sampled"], {"backfill": name, "target_ids": ids})
    return {row["target_id"]: row for row in found}


def judge(connection: Connection, line: Line, corrected: Row | None) -> None:
    """Note a verdict on a row that was reviewed."""
    connection.execute(_SQL["judge"], {**_said(line, corrected), "review_id": line.review_id})


def miss(connection: Connection, name: str, line: Line, target: Row) -> int:
    """Note that a row should be there; return how many are new: one, or none."""
    values = {
        **_said(line, dict(line.corrected)),
        "backfill": name,
        "target_id": line.target_id,
        "extractor_version": target["extractor_version"],
        "chosen": target["chosen"],
    }
    return connection.execute(_SQL["miss"], values).rowcount


def judged(connection: Connection, name: str) -> list[Judged]:
    """Return what people said of each version of a backfill of which they said anything."""
    return [Judged(**row) for row in connection.execute(_SQL["judged"], {"backfill": name})]


def precision(connection: Connection, backfill: Backfill) -> float | None:
    """Return the share that people found right of a version; None where they judged none."""
    of = {each.extractor_version: each.precision for each in judged(connection, backfill.name)}
    found = of.get(backfill.extractor_version)
    return found.value if found else None


def _said(line: Line, corrected: Row | None) -> dict[str, Any]:
    return {
        "verdict": line.verdict,
        "corrected": None if corrected is None else Jsonb(corrected),
        "comment": line.comment or None,
    }
