"""The QC report for eyes: charts, and passages with their evidence highlighted."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.adapters import measures, rows
from tasks.adapters.measures import EVIDENCE
from tasks.adapters.pages import render
from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill
from tasks.core.charts import Panel, compared, cost_over_time, counts, lay_out
from tasks.core.highlight import Extent, excerpts, highlight
from tasks.core.markdown import escape
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.places import NewRows
from tasks.core.quality import Quality, Spread

_SQL = statements("queries/quality.sql")
BRIEF = 120
"""Characters of a value that a sample shows."""


def panels(
    connection: Connection, backfill: Backfill, run: Run, quality: Quality, estimate: Estimate
) -> list[Panel]:
    """Return the charts that stand on the report's page, as bars of text."""
    slices = connection.execute(_SQL["slice_costs"], {"run_id": run.run_id}).fetchall()
    found = [
        counts("Rows per target: targets", _per_target(connection, backfill, run)),
        counts("Tokens, estimated beside actual", _tokens(quality, estimate)),
        cost_over_time(slices),
    ]
    return [panel for panel in found if panel]


def charts(
    backfill: Backfill,
    run: Run,
    quality: Quality,
    on_page: Sequence[Panel],
    spreads: Sequence[Spread],
) -> str:
    """Return everything that the report has as one SVG, to stand beside it as a file."""
    places, height = lay_out(
        [
            *on_page,
            *(compared(each.title, each.rows, has_other=bool(each.other)) for each in spreads),
            counts("How quotes were found", {each.name: each.times for each in quality.matches}),
            counts("Answers not usable, every try", quality.failures),
        ]
    )
    title = f"{backfill.title}: {run.kind} run"
    gates = "all gates passed" if quality.passed else "GATES FAILED"
    subtitle = f"{run.started_at:%Y-%m-%d}, {backfill.extractor_version}, {gates}"
    return render("charts.svg", places=places, height=height, title=title, subtitle=subtitle)


def sample(connection: Connection, here: Tables, run: Run, other: str | None) -> str | None:
    """Return some of the run's targets with their evidence as Markdown; None without any."""
    found = measures.sample(connection, here, run.run_id, other)
    if not found:
        return None
    about = f"{here.backfill.title}, {run.kind} run"
    lead = (
        f"{len(found)} targets with what was found in them, of extractor version"
        f" {here.backfill.extractor_version} in run {run.run_id}."
    )
    shown = with_evidence(connection, here, found)
    return render("sample.md", title=f"Sample: {about}", lead=lead, sample=shown, other=other)


def with_evidence(
    connection: Connection, here: Tables, found: Sequence[Row]
) -> list[dict[str, Any]]:
    """Return targets and their rows as the page shows them, with their quotes in bold."""
    ids = [row["target_id"] for row in found]
    texts = rows.texts(connection, here, ids)
    names = rows.labels(connection, here.backfill, ids)
    return [
        _shown(here, row, names[row["target_id"]], *texts.get(row["target_id"], [("", None)])[0])
        for row in found
    ]


def _shown(
    here: Tables, row: Row, name: str, text: str, lengths: Sequence[int] | None
) -> dict[str, Any]:
    parts = here.backfill.template.parts(tuple(lengths)) if lengths else ()
    starts: dict[str | None, int] = {part.column: part.start for part in reversed(parts)}
    spans = [_spans(here, found, starts) for found in row["found"]]
    return {
        "target_id": escape(row["target_id"]),
        "name": escape(name),
        "text": highlight(text, [span for some in spans for span in some]),
        "found": [
            {**_found(here, found), "quotes": excerpts(text, some)}
            for found, some in zip(row["found"], spans, strict=True)
        ],
        "earlier": escape(row["earlier"]) if row["earlier"] else None,
        "chosen": None,
    }


def _spans(here: Tables, found: Row, starts: Mapping[str | None, int]) -> list[Extent]:
    """Return where the row's own quotes stand in the whole text."""
    before = [(entry, starts.get(entry.get("column"), 0)) for entry in _support(here, found)]
    return [(entry["start"] + column, entry["end"] + column) for entry, column in before]


def _support(here: Tables, found: Row) -> list[Row]:
    evidence = found.get(here.column_name(EVIDENCE))
    support = evidence.get("support") if isinstance(evidence, dict) else None
    return support if isinstance(support, list) else []


def _found(here: Tables, found: Row) -> dict[str, Any]:
    """Return one row as a line: what it is called by, and its other columns."""
    target = here.backfill.target
    key = here.column_name(target.key) if isinstance(target, NewRows) and target.key else ""
    columns = [here.column_name(name) for name in measures.record_columns(here.backfill)]
    said = {name: found.get(name) for name in columns if name not in (key, EVIDENCE)}
    facts = [
        f"{name}: {_brief(value)}" for name, value in said.items() if value not in (None, [], "")
    ]
    has_evidence = here.column_name(EVIDENCE) in found
    return {
        "name": escape(str(found.get(key, ""))) if key else "",
        "facts": escape("; ".join(facts)),
        "is_placed": not has_evidence or bool(_support(here, found)),
    }


def _brief(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"


def _per_target(connection: Connection, backfill: Backfill, run: Run) -> dict[str, float]:
    return measures.rows_per_target(connection, backfill, run.run_id)


def _tokens(quality: Quality, estimate: Estimate) -> dict[str, float]:
    return {
        "in, estimated": estimate.input_tokens,
        "in, actual": quality.spending.input_tokens,
        "out, estimated": estimate.output_tokens,
        "out, actual": quality.spending.output_tokens,
    }
