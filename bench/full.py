"""One whole backfill on the embedded stack, the emulator answering at once.

    python -m bench.full [--rows 10000,50000,550000]

Prints wall, CPU and memory of every part, where the time went, and the database's size, for each
number of rows on a stack of its own; draws rows per second over time into docs/.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.chart import Line, draw
from bench.table import Row, emit
from bench.watch import Usage, Watch
from bench.world import DEMO, backfill, load, running_stack, seconds_between, stages
from deployments.local.stack import Stack

SIZES = (10_000, 50_000, 550_000)
SLICE = 5000
MOST_MB = 300
MOST_DRIFT = 1.10
CHART = Path(__file__).parents[1] / "docs" / "rows-per-second.svg"
ENDED = "select coalesce(sum(written + empty + bad + skipped), 0) from backfill.slices"
SIZE = "select pg_database_size(current_database()), pg_total_relation_size('passage_concepts')"


@dataclass
class Measured:
    """What one run came to."""

    rows: int
    seconds: float
    parts: dict[str, Usage]
    ended: list[tuple[float, int]]

    @property
    def ms_per_row(self) -> float:
        """Wall of the run by rows."""
        return self.seconds / self.rows * 1e3

    @property
    def flow_mb(self) -> float:
        """The most memory that the flow's own process had."""
        return self.parts["flow"].largest_mb


def measure(rows: int) -> Measured:
    """Run one backfill of so many passages on a new stack, and print what it took."""
    with running_stack() as stack:
        url = stack.environment()["BACKFILL_DATABASE_URL"]
        began = time.monotonic()
        load(url, rows)
        print(f"\n{rows:,} passages (loaded in {time.monotonic() - began:.0f} s)")
        ended: list[tuple[float, int]] = []
        with psycopg.connect(url, autocommit=True) as connection:

            def count(at: float) -> None:
                row = connection.execute(ENDED).fetchone()
                ended.append((at, int(row[0]) if row else 0))

            with Watch(stack, count).running() as watch:
                run = backfill(stack, SLICE)
            result = check(connection, rows)
            print_sizes(connection, result)
        wall = seconds_between(run["start_time"], run["end_time"])
        done = Measured(rows, wall, watch.parts, ended)
        print_parts(done)
        print_stages(stack)
    return done


def check(connection: psycopg.Connection[Any], rows: int) -> dict[str, Any]:
    """Return the demo's counts; raise unless every row has come to its end."""
    cursor = connection.execute(DEMO["result"])
    names = [column.name for column in cursor.description or ()]
    result = dict(zip(names, cursor.fetchone() or (), strict=True))
    ends = result["ends"]
    if "planned" in ends or sum(ends.values()) != rows:
        raise AssertionError(f"{rows} passages, but {ends}")
    return result


def print_sizes(connection: psycopg.Connection[Any], result: dict[str, Any]) -> None:
    """Print what stands in the database, and how large it is."""
    whole, table = connection.execute(SIZE).fetchone() or (0, 0)
    print(
        f"  {result['ends']}; {result['concepts']:,} concepts in {result['slices']} jobs;"
        f" database {whole / 1e9:.2f} GB, of it passage_concepts {table / 1e9:.2f} GB"
    )


def print_parts(done: Measured) -> None:
    """Print wall, and CPU and memory of each part."""
    print(f"  {done.seconds:.1f} s, {done.rows / done.seconds:,.0f} rows/s")
    print(f"  {'part':18} {'CPU s':>8} {'ms/row':>8} {'largest MB':>11} {'all MB':>8}  processes")
    for name, used in done.parts.items():
        print(
            f"  {name:18} {used.cpu_seconds:8.1f} {used.cpu_seconds / done.rows * 1e3:8.3f}"
            f" {used.largest_mb:11.0f} {used.all_mb:8.0f}  {used.processes}"
        )


def print_stages(stack: Stack) -> None:
    """Print how long the tasks took, by kind; slices run beside each other."""
    found = sorted(stages(stack).items(), key=lambda item: -item[1][1])
    shown = ", ".join(f"{name} {seconds:.1f} s ({times})" for name, (times, seconds) in found)
    print(f"  tasks, seconds in all (how many): {shown}")


def hand_in(runs: list[Measured]) -> None:
    """Hand in the rows of the table."""
    last = runs[-1]
    emit(
        Row(
            9,
            f"{last.rows:,} rows, whole run on the embedded stack",
            f"{last.seconds:,.0f} s, {last.rows / last.seconds:,.0f} rows/s",
        )
    )
    peaks = " / ".join(f"{run.flow_mb:.0f}" for run in runs)
    sizes = " / ".join(f"{run.rows:,}" for run in runs)
    most = max(run.flow_mb for run in runs)
    emit(
        Row(
            9,
            f"peak RSS of the flow process at {sizes} rows",
            f"{peaks} MB",
            target=f"< {MOST_MB} MB",
            is_met=most < MOST_MB,
        )
    )
    if len(runs) > 1:
        before = runs[-2]
        drift = last.ms_per_row / before.ms_per_row
        emit(
            Row(
                9,
                "wall per row, last size against the one before",
                f"{last.ms_per_row:.3f} ms",
                f"{before.ms_per_row:.3f} ms",
                f"{drift:.2f}",
                f"<= {MOST_DRIFT:.2f}",
                drift <= MOST_DRIFT,
            )
        )


def main() -> None:
    """Measure each number of rows; hand in the table's rows and draw the last run."""
    parser = argparse.ArgumentParser(prog="python -m bench.full")
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    sizes = [int(each) for each in parser.parse_args().rows.split(",")]
    runs = [measure(rows) for rows in sizes]
    hand_in(runs)
    if sizes[-1] == SIZES[-1]:
        lines = [Line(f"{run.rows:,} passages", run.ended) for run in runs]
        CHART.write_text(draw("Rows with an end, per second", lines), encoding="utf-8")


if __name__ == "__main__":
    main()
