"""Planning over 5,000,000 rows: a row's cost beside that at 550,000, and an incremental run's plan.

    python -m bench.large_plan [--rows 550000,5000000]

The texts are short, 132 characters, so that it all fits: 13 GB of disk with answers and sorts, and
five minutes until they stand there, of quiet cores. The incremental run is told by a column which
rows changed: of 98 % answered ones some hundred.
"""

import os
import resource
import time
from dataclasses import replace
from typing import Any

import psycopg
from prefect.logging import disable_run_logger

from bench.database import cpu_seconds, temporary_database
from bench.planning import BACKFILL, TABLES, asked, grown
from bench.table import Row, emit, spread
from tasks import backfills
from tasks.adapters.ledger import looks
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.planning.plan import PlanOptions, make_plan

NUMBER = 13
SIZES = (550_000, 5_000_000)
HASHES = 4
ROUNDS = 2
CHANGED = 300
MOST_SECONDS, MOST_MB = 5.0, 300
ADD_TIMES = """
alter table passages add column updated_at timestamptz default '2026-01-01';
create index on passages (updated_at);
analyze passages;
"""
CHANGE = """
update passages set passage_text = passage_text || passage_id, updated_at = now()
where page_num between %(first)s and %(first)s + %(changed)s - 1
"""


def main() -> None:
    """Print and hand in both, and what this process held at most."""
    sizes = asked("large_plan", SIZES)
    with temporary_database(TABLES) as url:
        grown(url, sizes, HASHES, ROUNDS, NUMBER)
        incremental(url, sizes[-1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    what = f"peak of the process that plans {sizes[-1]:,} rows"
    emit(Row(NUMBER, what, f"{peak:.0f} MB", target=f"< {MOST_MB} MB", is_met=peak < MOST_MB))


def incremental(url: str, size: int) -> None:
    """Hand in what planning takes an incremental run that looks at what changed alone."""
    os.environ["BACKFILL_DATABASE_URL"] = url
    settings.cache_clear()
    source: Any = BACKFILL.source
    changing = replace(BACKFILL, source=replace(source, changed="updated_at"))
    with psycopg.connect(url) as connection:
        connection.execute(ADD_TIMES)
    with connect() as connection:  # as after a run that left nothing
        looks.note(connection, changing, is_whole=True)
    walls, cpus = [], []
    with backfills.asking(changing), disable_run_logger():
        for number in range(ROUNDS):
            with psycopg.connect(url) as connection:
                connection.execute(CHANGE, {"first": 1 + number * CHANGED, "changed": CHANGED})
            cpu, wall = _planned()
            cpus.append(cpu)
            walls.append(wall)
    said = f"{spread(walls, ' s')}, CPU {spread(cpus, ' s')}"
    print(f"{CHANGED} of {size:,} rows changed: {said} at load {os.getloadavg()[0]:.1f}")
    what = f"plan of an incremental run, {CHANGED} of {size:,} rows changed"
    best = min(walls)
    emit(Row(NUMBER, what, said, target=f"< {MOST_SECONDS:g} s", is_met=best < MOST_SECONDS))


def _planned() -> tuple[float, float]:
    """Return the CPU seconds of Postgres and the wall's of one plan."""
    options = PlanOptions.of("incremental", None, 5000, fresh=False)
    with connect() as connection:  # the session that the plan will have
        before = cpu_seconds(connection)
    began = time.perf_counter()
    plan = make_plan.directly(BACKFILL.name, options, None)
    wall = time.perf_counter() - began
    assert (plan.planned, plan.since is None) == (CHANGED, False), plan
    with connect() as connection:
        return cpu_seconds(connection) - before, wall


if __name__ == "__main__":
    main()
