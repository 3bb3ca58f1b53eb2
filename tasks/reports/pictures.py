"""The QC report for eyes: charts, and passages with their evidence highlighted."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tasks.adapters.pages import render
from tasks.adapters.postgres import Connection, Row, statements
from tasks.core.backfill import Backfill
from tasks.core.charts import compared, cost_over_time, counts, lay_out
from tasks.core.highlight import escape, highlight
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.quality import Quality

_SQL = statements("queries/quality.sql")


def charts(  # noqa: PLR0913, PLR0917 - a picture of everything the report has
    connection: Connection,
    backfill: Backfill,
    run: Run,
    quality: Quality,
    estimate: Estimate,
    distribution: list[dict[str, Any]],
) -> str:
    """Return the run's charts as one SVG."""
    own = statements(f"queries/{backfill.name}.sql")
    slices = connection.execute(_SQL["slice_costs"], {"run_id": run.run_id}).fetchall()
    places, height = lay_out(
        [
            counts("Concepts per passage: passages", _per_target(connection, own, backfill, run)),
            compared("Types, ours / llm_v2", distribution),
            counts("How quotes were found", quality.matches),
            counts("Answers not usable, every try", quality.failures),
            counts("Tokens, estimated beside actual", _tokens(quality, estimate)),
            cost_over_time(slices),
        ]
    )
    title = f"{backfill.title}: {run.kind} run"
    gates = "all gates passed" if quality.passed else "GATES FAILED"
    subtitle = f"{run.started_at:%Y-%m-%d}, {backfill.extractor_version}, {gates}"
    return render("charts.svg", places=places, height=height, title=title, subtitle=subtitle)


def data_uri(svg: str) -> str:
    """Return a picture as an address that holds the whole of it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def sample(connection: Connection, backfill: Backfill, run: Run) -> str | None:
    """Return some of the run's targets with their evidence as Markdown; None without any."""
    own = statements(f"queries/{backfill.name}.sql")
    if "sample" not in own:
        return None
    rows = connection.execute(own["sample"], _values(backfill, run.run_id)).fetchall()
    shown = [_shown(row) for row in rows]
    if not shown:
        return None
    earlier = any(each["earlier"] != "—" for each in shown)
    return render("sample.md", backfill=backfill, run=run, sample=shown, earlier=earlier)


def _shown(row: Row) -> dict[str, Any]:
    found = row["found"] or []
    spans = [
        (entry["start"], entry["end"]) for item in found for entry in item.get("support") or ()
    ]
    return {
        "text": highlight(row["content"], spans),
        "found": [
            {**item, "name": escape(item["name"]), "is_placed": bool(item.get("support"))}
            for item in found
        ],
        "earlier": escape(row["earlier"] or "—"),
    }


def _per_target(
    connection: Connection, own: Mapping[str, Any], backfill: Backfill, run: Run
) -> dict[str, float]:
    if "per_target" not in own:
        return {}
    rows = connection.execute(own["per_target"], _values(backfill, run.run_id))
    return {row["label"]: row["targets"] for row in rows}


def _tokens(quality: Quality, estimate: Estimate) -> dict[str, float]:
    return {
        "in, estimated": estimate.input_tokens,
        "in, actual": quality.spending.input_tokens,
        "out, estimated": estimate.output_tokens,
        "out, actual": quality.spending.output_tokens,
    }


def _values(backfill: Backfill, run_id: UUID) -> dict[str, object]:
    return {"run_id": run_id, "extractor_version": backfill.extractor_version}
