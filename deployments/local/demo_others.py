"""The other backfills in the demo, side by side: code chunks, job adverts, songs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from deployments.local.deployment_run import follow, start
from tasks import backfills
from tasks.adapters.postgres import connect, statements

COMMON = ("--param", "without_pilot=true", "--param", "approve_up_to_usd=1")
LEDGER = statements("demo/ledger.sql")


@dataclass(frozen=True)
class Side:
    """One backfill in the demo, and the deployment that works on its rows."""

    name: str
    deployment: str
    options: Callable[[Path], tuple[str, ...]]


def start_all(environment: Mapping[str, str], place: Path) -> dict[str, str]:
    """Start everybody's deployment; return the flow runs by backfill."""
    started = {}
    for side in SIDES:
        options = (*COMMON, *side.options(place))
        started[side.name] = start(side.deployment, environment, *options)
    return started


def finish_all(
    environment: Mapping[str, str], started: Mapping[str, str], table: Table
) -> list[str]:
    """Wait for the runs and add one line for each; return what did not go well."""
    problems = []
    for name, flow_run_id in started.items():
        state = follow(environment, flow_run_id, _nothing)
        if state["type"] != "COMPLETED":
            problems.append(f"{name} ended as {state['name']}: {state.get('message')}")
    with connect(environment["BACKFILL_DATABASE_URL"]) as connection:
        for row in connection.execute(LEDGER["one_line_each"]):
            title = backfills.get(row["backfill"]).title
            counts = [f"{row[end]:,}" for end in ("targets", "written", "empty", "bad", "skipped")]
            table.add_row(title, *counts, f"{row['jobs']:,}", f"{row['cost_usd']:.4f}")
            if row["planned"]:
                problems.append(f"{row['planned']} targets of {row['backfill']} have no end.")
    return problems


def lines() -> Table:
    """Return the table that gets one line for each backfill."""
    columns = ("targets", "written", "empty", "bad", "skipped", "batch jobs", "USD")
    table = Table("backfill", *columns, title="All backfills", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _nothing(_: str) -> None:
    """Show nothing: three runs at once would talk across each other."""


def _songs_options(place: Path) -> tuple[str, ...]:
    came, goes = place / "samples" / "songs.csv", place / "samples" / "songs-enriched.csv"
    return ("--param", f"csv_in={came}", "--param", f"csv_out={goes}")


SIDES = (
    Side("songs", "backfill/songs", _songs_options),
    Side("chunk_concepts", "backfill/full", lambda _: ("--param", "name=chunk_concepts")),
    Side("job_enrichment", "backfill/jobs", lambda _: ()),
)
