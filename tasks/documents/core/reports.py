"""The report of a run of the documents index, as Markdown."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

Row = Mapping[str, Any]


class Summary(BaseModel):
    """What one run of the index left behind, in numbers."""

    run_id: str
    counters: dict[str, int]
    ends: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    optional_inputs: list[dict[str, Any]]
    reports: str


def markdown(summary: Summary) -> str:
    """Return the report that a person reads after a run."""
    counters = ({"counter": k, "rows": v} for k, v in summary.counters.items())
    parts = [
        f"# Documents index, run {summary.run_id}",
        "## Where every row ended",
        table(summary.ends, "The CSVs hold no rows."),
        "## Counters",
        table(counters, ""),
        "## Why rows are on the bad list or skipped",
        table(summary.reasons, "No row is."),
        "## Consistency of rows and directories",
        table(summary.problems, "Every document has its directory and files; none is left over."),
        "## Optional inputs that were read",
        table(summary.optional_inputs, "None."),
        f"The lists are in `{summary.reports}`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(rows: Iterable[Row], nothing: str) -> str:
    """Return rows as a Markdown table with their keys as headings, or what to say of no rows."""
    listed = list(rows)
    if not listed:
        return nothing
    head = list(listed[0])
    lines = [head, ["---"] * len(head), *([row[name] for name in head] for row in listed)]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
