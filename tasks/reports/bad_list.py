"""Bad generations for a person to read: a Markdown artifact and a CSV file."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact

from tasks import backfills
from tasks.adapters.ledger import generations
from tasks.adapters.pages import render, save
from tasks.adapters.postgres import Row, connect
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.core.answers import BadReason
from tasks.core.csv_cells import Formulas, safe

SHOWN = 50  # in the artifact; the file has all
CELL = 200  # characters of an answer in the artifact
COLUMNS = ("target_id", "reason", "explanation", "detail", "attempts", "slice_id", "doc_id", "raw")


@waiting_stage("bad generations of {name}")
async def list_bad(name: str, run_id: UUID) -> int:
    """Return how many generations of the run are bad, after listing them."""
    rows = await _rows(run_id)
    if not rows:
        return 0
    path = await _save(name, rows, backfills.get(name).formulas)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-bad",
        markdown=_markdown(name, rows, path),
        description=f"{len(rows):,} targets of {name} without a usable answer",
    )
    get_run_logger().warning("%d bad generations, listed in %s", len(rows), path)
    return len(rows)


@in_thread
def _rows(run_id: UUID) -> list[Row]:
    with connect() as connection:
        rows = generations.list_bad(connection, run_id)
    return [{**row, "explanation": BadReason(row["reason"]).explanation} for row in rows]


@in_thread
def _save(name: str, rows: list[Row], formulas: Formulas) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_safe(row, formulas) for row in rows)
    return save(f"{name}-bad", text.getvalue(), datetime.now(UTC), ".csv")


def _safe(row: Row, formulas: Formulas) -> Row:
    """Return a row that no spreadsheet computes; its id stays the user's own."""
    return {
        name: safe(value, formulas) if isinstance(value, str) and name != "target_id" else value
        for name, value in row.items()
    }


def _markdown(name: str, rows: list[Row], path: Path) -> str:
    reasons = [
        (reason, BadReason(reason).explanation, count)
        for reason, count in Counter(row["reason"] for row in rows).most_common()
    ]
    return render(
        "bad.md",
        name=name,
        reasons=reasons,
        rows=rows[:SHOWN],
        all=len(rows),
        path=path,
        cell=_cell,
    )


def _cell(text: str | None) -> str:
    """Return a text as it fits into a table's cell: one line, no bar, not without end."""
    line = " ".join((text or "").split()).replace("|", "\\|")
    return line if len(line) <= CELL else f"{line[:CELL]} …"
