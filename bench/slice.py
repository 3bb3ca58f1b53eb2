"""The whole slice from select to commit, model time zero, against what cannot be avoided.

    python -m bench.slice [--profile]

Unavoidable is the raw binary COPY of the same rows into a table without index, and bare orjson on
the same bytes of answers. Both are measured in every round, before the product's own way.
"""

import cProfile
import gc
import os
import pstats
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import orjson
import psycopg
from prefect.logging import disable_run_logger

from bench.database import temporary_database
from bench.table import Row, emit
from bench.world import load
from tasks import backfills
from tasks.adapters import workspace
from tasks.adapters.ledger import slices
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect, statements
from tasks.adapters.settings import settings
from tasks.planning.plan import PlanOptions, make_plan
from tasks.slices.batch import build
from tasks.writing import ingest as ingestion

ROWS, SLICE, ROUNDS = 10_000, 5_000, 5
MOST_RATIO, MOST_CPU_MS = 1.7, 0.15
TABLES = statements("demo/passages.sql")["create_tables"]
BACKFILL = backfills.get("passage_concepts")
AGAIN = """
truncate passage_concepts, kb_migrations;
update backfill.generations set state = 'planned', attempts = 0;
update backfill.slices set state = 'planned', display_name = null;
"""
FLOOR = "create unlogged table floor (like passage_concepts); alter table floor set logged"
Cost = tuple[float, float]
"""CPU and wall seconds; the database's CPU is in the wall alone."""


def main() -> None:
    """Print and hand in the cost of a row, and where it goes if asked to."""
    with tempfile.TemporaryDirectory() as place, loaded(Path(place), ROWS) as url:
        whole = [each.slice_id for each in plan()]
        answers = {each: answered(each, Path(place)) for each in whole}
        once(whole, answers)
        payload = payload_of(url)
        floors, ours = [], []
        for _ in range(ROUNDS):
            _again(url)
            floors.append(_floor(url, payload, answers))
            ours.append(cost(lambda: once(whole, answers)))
        _show(floors, ours)
        if "--profile" in sys.argv:
            _again(url)
            _profile(lambda: once(whole, answers))


@contextmanager
def loaded(place: Path, rows: int) -> Iterator[str]:
    """Yield the address of a database with passages, which this process works on."""
    with temporary_database(TABLES) as url:
        os.environ["BACKFILL_DATABASE_URL"] = url
        os.environ["BACKFILL_WORK_DIR"] = str(place / "work")
        settings.cache_clear()
        apply_migrations(url)
        load(url, rows)
        with psycopg.connect(url) as connection:
            connection.execute(FLOOR)
        yield url


def plan() -> list[slices.OpenSlice]:
    """Return the slices of a plan of everything."""
    options = PlanOptions.of("full", None, SLICE, fresh=False)
    with disable_run_logger():
        plan = make_plan.directly(BACKFILL.name, options, None)
    with connect() as connection:
        return slices.open_slices(connection, plan.run_id)


def answered(slice_id: str, place: Path) -> bytes:
    """Return the output of the slice's job, as the emulator would answer it."""
    from deployments.local.emulator.linework import LineWork
    from deployments.local.emulator.store import Store

    build.directly(slice_id)
    job = {"model": BACKFILL.model, "kind": "generate", "file_id": 1, "input_at": 0, "seq": 1}
    job["fate"] = b"{}"
    with workspace.requests_path(slice_id).open("rb") as file:
        return b"".join(
            LineWork(Store(place / "emulator"), job).answer(list(enumerate(file))).lines
        )


def once(whole: list[str], answers: dict[str, bytes]) -> None:
    """Do all that is ours with each slice; fetching is a write of the same bytes."""
    for slice_id in whole:
        build.directly(slice_id)
        path = workspace.responses_path(slice_id)
        path.write_bytes(answers[slice_id])
        ingestion.ingest_slice(slice_id, path)


def _again(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(AGAIN)
        connection.execute("vacuum analyze backfill.generations")
        connection.execute("checkpoint")


def payload_of(url: str) -> bytes:
    """Return the rows that were written, as binary COPY has them."""
    sql = "copy passage_concepts to stdout with (format binary)"
    with psycopg.connect(url) as connection, connection.cursor().copy(sql) as copy:
        return b"".join(bytes(each) for each in copy)


def _floor(url: str, payload: bytes, answers: dict[str, bytes]) -> tuple[Cost, Cost]:
    """Return the cost of the raw COPY and of bare orjson."""
    lines = [line for each in answers.values() for line in each.splitlines()]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate floor")

        def raw() -> None:
            with connection.cursor().copy("copy floor from stdin with (format binary)") as copy:
                copy.write(payload)

        return cost(raw), cost(lambda: _bare(lines))


def _bare(lines: list[bytes]) -> None:
    for line in lines:
        try:
            said = orjson.loads(line)["response"]["candidates"][0]["content"]["parts"][0]["text"]
            orjson.loads(said)
        except (ValueError, KeyError):
            continue


def cost(work: Callable[[], None]) -> Cost:
    """Return what some work costs."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _show(floors: list[tuple[Cost, Cost]], ours: list[Cost]) -> None:
    print(f"{ROWS:,} passages in slices of {SLICE:,}; ms a passage, min (median) of {ROUNDS}")
    parts = {
        "raw COPY, no index": [copy for copy, _ in floors],
        "bare orjson": [bare for _, bare in floors],
        "select to commit": ours,
    }
    for name, costs in parts.items():
        cpu, wall = ([each[i] * 1000 / ROWS for each in costs] for i in (0, 1))
        print(f"  {name:20} CPU {_spread(cpu)}, wall {_spread(wall)}")
    floor = [copy[1] + bare[1] for copy, bare in floors]
    wall, cpu = [each[1] for each in ours], [each[0] * 1000 / ROWS for each in ours]
    ratio = min(wall) / min(floor)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    emit(
        Row(
            7,
            f"whole slice, select to commit; peak {peak:.0f} MiB",
            f"{_spread([each * 1000 / ROWS for each in wall])} ms a row, CPU {_spread(cpu)}",
            f"{_spread([each * 1000 / ROWS for each in floor])} ms",
            f"{ratio:.2f} ({median(wall) / median(floor):.2f})",
            f"{MOST_RATIO}; CPU {MOST_CPU_MS} ms",
            is_met=ratio <= MOST_RATIO and min(cpu) <= MOST_CPU_MS,
        )
    )


def _spread(values: list[float]) -> str:
    return f"{min(values):.3f} ({median(values):.3f})"


def _profile(work: Callable[[], None]) -> None:
    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
