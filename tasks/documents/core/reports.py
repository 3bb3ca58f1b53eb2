"""The report of a run of the documents index, as Markdown."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from tasks.core.markdown import inert

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
    bad_list: str

    @property
    def message(self) -> str:
        """Return the run in one sentence."""
        rows, written, bad, skipped = map(self._total, ("row_count", "written", "bad", "skipped"))
        problems = sum(problem["row_count"] for problem in self.problems)
        on_list = f"{_are(bad)} on the bad list {self.bad_list}" if bad else _NO_BAD
        repeated = f"{skipped:,} repeats another" if skipped == 1 else f"{skipped:,} repeat others"
        found = f"{problems:,} problem{' was' if problems == 1 else 's were'} found on disk"
        return (
            f"Run {self.run_id}: of {rows:,} CSV rows {written:,} have their document, {repeated}"
            f" and {on_list}; {found if problems else 'every document is whole on disk'}."
        )

    def _total(self, name: str) -> int:
        return sum(end[name] for end in self.ends)


_NO_BAD = "none is on the bad list"


def _are(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"


def markdown(summary: Summary) -> str:
    """Return the report that a person reads after a run."""
    counters = ({"counter": k, "rows": v} for k, v in summary.counters.items())
    parts = [
        f"# Documents index, run {summary.run_id}",
        summary.message,
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
        f"The bad list is `{summary.bad_list}`, the other lists are in `{summary.reports}`.",
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
    return str(inert(value))
