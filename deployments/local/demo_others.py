"""The other backfills in the demo, side by side: code chunks, job adverts, songs."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from deployments.local.deployment_run import follow, start
from deployments.local.sample_code import chunks
from deployments.local.sample_jobs import jobs
from deployments.local.sample_songs import songs
from tasks import backfills
from tasks.adapters.postgres import Connection, connect, statements

CHUNKS, ADVERTS, PLACEHOLDERS, SONGS = 200, 40, 8, 160
COMMON = ("--param", "without_pilot=true", "--param", "approve_up_to_usd=1")
LEDGER = statements("demo/ledger.sql")


@dataclass(frozen=True)
class Side:
    """One backfill in the demo: its rows, and the deployment that works on them."""

    name: str
    load: Callable[[Connection, Path], None]
    deployment: str
    options: Callable[[Path], tuple[str, ...]]


def start_all(environment: Mapping[str, str], place: Path) -> dict[str, str]:
    """Load everybody's rows and start everybody's deployment; return the flow runs by backfill."""
    started = {}
    for side in SIDES:
        with connect(environment["BACKFILL_DATABASE_URL"]) as connection:
            side.load(connection, place)
        options = (*COMMON, *side.options(place))
        started[side.name] = start(side.deployment, environment, *options)
    return started


def finish_all(
    environment: Mapping[str, str], started: Mapping[str, str], table: Table
) -> list[str]:
    """Wait for the runs and add one line for each; return what did not go well."""
    problems = []
    for name, flow_run_id in started.items():
        state = follow(environment["PREFECT_API_URL"], flow_run_id, _nothing)
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


def _load_chunks(connection: Connection, _: Path) -> None:
    sql = statements("demo/code_chunks.sql")
    connection.execute(sql["create_tables"])
    rows = [{"chunk_id": key, "text": text} for key, text in chunks(CHUNKS)]
    connection.cursor().executemany(sql["insert_target"], rows)
    connection.execute(sql["plant_legacy_rows"], {})


def _load_jobs(connection: Connection, _: Path) -> None:
    sql = statements("demo/jobs.sql")
    connection.execute(sql["create_tables"])
    adverts = jobs(ADVERTS, PLACEHOLDERS)
    rows = [{**advert, "embedding": json.dumps(advert["embedding"])} for advert in adverts]
    connection.cursor().executemany(sql["insert_target"], rows)


def _load_songs(_: Connection, place: Path) -> None:
    exchange = backfills.get("songs").csv
    with (place / "songs.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(exchange.columns if exchange else ())
        writer.writerows(songs(SONGS))


def _songs_options(place: Path) -> tuple[str, ...]:
    came, goes = f"csv_in={place / 'songs.csv'}", f"csv_out={place / 'songs-enriched.csv'}"
    return ("--param", came, "--param", goes)


SIDES = (
    Side("songs", _load_songs, "backfill/songs", _songs_options),
    Side(
        "chunk_concepts",
        _load_chunks,
        "backfill/full",
        lambda _: ("--param", "name=chunk_concepts"),
    ),
    Side("job_enrichment", _load_jobs, "backfill/jobs", lambda _: ()),
)
