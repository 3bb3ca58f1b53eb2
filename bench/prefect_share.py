"""What Prefect costs: 110 tiny slices through a deployment, less the same without Prefect.

    python -m bench.prefect_share

Both are the whole backfill on the same stack, the emulator answering at once. Prefect's cost is set
beside the time that 550,000 rows take in slices of 5,000 without it.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import psycopg

from bench.table import Row, emit
from bench.watch import Usage, Watch
from bench.world import backfill, load, running_stack, seconds_between, stages
from deployments.local.stack import Stack

SLICES, TINY = 110, 10
WHOLE, SLICE = 550_000, 5000
TRIED = 20_000
MOST_SHARE = 0.10
FORGET = (
    "truncate backfill.generations, backfill.slices, backfill.runs, passage_concepts,"
    " kb_migrations, backfill.answer_blocks, backfill.projections, backfill.restores"
    " cascade"
)
PREFECTS = ("flow", "flow's processes", "worker", "prefect", "postgres")


def main() -> None:
    """Print and hand in Prefect's cost per slice, per task, and its share of a whole run."""
    with running_stack() as stack:
        url = stack.environment()["BACKFILL_DATABASE_URL"]
        load(url, SLICES * TINY)
        with Watch(stack).running() as watch:
            run = backfill(stack, TINY)
        through = seconds_between(run["start_time"], run["end_time"])
        tasks = sum(times for times, _ in stages(stack).values())
        cpu = {name: watch.parts.get(name, Usage()).cpu_seconds for name in PREFECTS}
        without, without_cpu = plainly(stack, TINY)
        load_more(url)
        rows, _ = plainly(stack, SLICE)
    print(f"{SLICES} slices of {TINY}, {tasks} tasks, whole runs:")
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in cpu.items())
    print(f"  through Prefect {through:.1f} s; CPU s: {parts}")
    print(f"  without         {without:.1f} s; CPU s: {without_cpu:.1f} and Postgres's")
    print(f"{TRIED:,} rows in slices of {SLICE:,} without Prefect: {rows:.1f} s")
    hand_in(through - without, tasks, rows / TRIED * WHOLE)


def hand_in(cost: float, tasks: int, whole: float) -> None:
    """Hand in the overhead and its share."""
    share = cost / (cost + whole)
    each = f"{cost / SLICES * 1e3:.0f} ms a slice, {cost / tasks * 1e3:.1f} ms a task"
    print(f"  Prefect's: {cost:.1f} s, {each}; {WHOLE:,} rows without it take {whole:.0f} s")
    emit(Row(8, f"Prefect's part of {SLICES} slices", f"{cost:.1f} s", "", each))
    emit(
        Row(
            8,
            f"Prefect's share of a run of {WHOLE:,} rows",
            f"{cost:.1f} s",
            f"{whole:.0f} s without",
            f"{share:.1%}",
            f"< {MOST_SHARE:.0%}",
            share < MOST_SHARE,
        )
    )


def load_more(url: str) -> None:
    """Forget all answers, and have as many passages as are tried without Prefect."""
    with psycopg.connect(url) as connection:
        connection.execute(FORGET)
        connection.execute("truncate passages")
    load(url, TRIED)


def plainly(stack: Stack, slice_size: int) -> tuple[float, float]:
    """Return wall and CPU seconds of the same backfill in a process without Prefect."""
    with psycopg.connect(stack.environment()["BACKFILL_DATABASE_URL"]) as connection:
        connection.execute(FORGET)
    command = [sys.executable, "-m", "bench.prefect_share", "--plain", str(slice_size)]
    environment = {**os.environ, **stack.environment()}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return float(wall), float(cpu)


def plain(slice_size: int) -> None:
    """Run the backfill in this process without Prefect; print wall and CPU seconds."""
    from prefect.logging import disable_run_logger

    from bench.without_prefect import take_out
    from flows.backfill import backfill as flow

    take_out()
    given: dict[str, Any] = {"approve_up_to_usd": 100_000.0, "without_pilot": True}
    began = time.perf_counter()
    with disable_run_logger():
        state = asyncio.run(flow.fn(slice_size=slice_size, **given))
    assert state.is_completed(), state
    print(json.dumps([time.perf_counter() - began, time.process_time()]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        plain(int(sys.argv[2]))
    else:
        main()
