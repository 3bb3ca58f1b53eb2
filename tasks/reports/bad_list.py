"""Bad generations for a person to read: a Markdown artifact and a CSV file."""

import csv
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact

from tasks import backfills
from tasks.adapters.ledger import generations
from tasks.adapters.pages import dated, render
from tasks.adapters.postgres import Row, connect
from tasks.adapters.stages import in_thread, waiting_stage
from tasks.adapters.whole_files import whole
from tasks.core.answers import BadReason
from tasks.core.csv_cells import Formulas, safe
from tasks.core.markdown import Markdown, breakable, escape

SHOWN = 50  # in the artifact; the file has all
CELL = 200  # characters of an answer in the artifact
COLUMNS = ("target_id", "reason", "explanation", "detail", "attempts", "slice_id", "doc_id", "raw")


@waiting_stage("bad generations of {name}")
async def list_bad(name: str, run_id: UUID) -> int:
    """Return how many generations of the run are bad, after listing them."""
    reasons, shown, path = await _save(name, run_id)
    count = reasons.total()
    if not count:
        return 0
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-bad",
        markdown=_markdown(name, reasons, shown, path),
        description=f"{count:,} targets of {name} without a usable answer",
    )
    get_run_logger().warning("%d bad generations, listed in %s", count, path)
    return count


@in_thread
def _save(name: str, run_id: UUID) -> tuple[Counter[str], list[Row], Path]:
    """Return how many are bad for which reason, the first of them, and the file with all."""
    reasons, shown = Counter[str](), list[Row]()
    path = dated(f"{name}-bad", datetime.now(UTC), ".csv")

    def noted(row: Row) -> Row:
        reasons[row["reason"]] += 1
        row["explanation"] = BadReason(row["reason"]).explanation
        if len(shown) < SHOWN:
            shown.append(row)
        return _safe(row, formulas)

    formulas = backfills.get(name).formulas
    with connect() as connection:
        rows = generations.list_bad(connection, run_id)
        if first := next(rows, None):
            with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(map(noted, chain([first], rows)))
    return reasons, shown, path


def _safe(row: Row, formulas: Formulas) -> Row:
    """Return a row that no spreadsheet computes."""
    return {
        name: safe(value, formulas) if isinstance(value, str) else value
        for name, value in row.items()
    }


def _markdown(name: str, counts: Counter[str], shown: list[Row], path: Path) -> str:
    reasons = [
        (reason, BadReason(reason).explanation, count) for reason, count in counts.most_common()
    ]
    return render(
        "bad.md",
        name=name,
        reasons=reasons,
        rows=shown,
        all=counts.total(),
        path=path,
        cell=_cell,
    )


def _cell(text: str | None) -> Markdown:
    """Return a text as it fits into a table's cell: one line, nothing but data, not endless."""
    line = " ".join((text or "").split())
    return Markdown(f"{escape(breakable(line[:CELL]))}{' …' if len(line) > CELL else ''}")
