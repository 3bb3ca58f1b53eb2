"""Planning: what every row wants, cut into slices, as one set-based transaction, as tables grow.

    python -m bench.planning [--rows 55000,550000]

Of the rows 4 % ask what another one asks. Where some are answered, the rows of every fiftieth of
them were deleted, and wait to be restored. The floor, in the same round: a hash of every text, and
one anti join with what the ledger knows. Both are CPU seconds of the one process of Postgres's that
does all of it, because wall time is of whatever else the machine does.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from bench.database import cpu_seconds, temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters.ledger import answers, runs, slices
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import Connection, connect, statements
from tasks.core.slicing import SliceLimits, Waves

BACKFILL = backfills.get("passage_concepts")
TABLES = statements("demo/passages.sql")["create_tables"]
NUMBER = 1
SIZES = (55_000, 550_000)
SHARES = (0.0, 0.5, 0.98)
ROUNDS = 3
FLAT = 1.25
LIMITS = SliceLimits(rows=5000, tokens=10**9, tokens_per_request=500, bytes_per_request=2500)
VERSION = {"name": BACKFILL.name, "version": BACKFILL.extractor_version}
HASHES = 18
"""Of 33 characters each, in one text."""
# Only read, or undone: what is logged of them would be of the fixture alone.
UNLOGGED = """
alter table passages set unlogged;
alter table passage_concepts set unlogged;
alter table backfill.questions set unlogged;
alter table backfill.projections set unlogged;
"""
FILL = """
insert into passages (
    passage_id, doc_id, page_num, page_char_start, page_char_end, passage_text
)
select
    gen_random_uuid(), gen_random_uuid(), n, 0, 33 * %(hashes)s,
    repeat(md5((n - (n %% 25 = 0)::int)::text) || ' ', %(hashes)s)
from generate_series(%(have)s::int + 1, %(size)s) as n
"""
# Without the checks of foreign keys, and without waiting for the disk.
QUICKLY = "set session_replication_role = replica; set synchronous_commit = off"
ANSWER = """
with answered as (
    select passage_id::text as target_id, backfill.content_hash(passage_text) as content
    from passages
    where page_num > %(have)s and page_num <= %(answered)s
),

ended as (
    insert into backfill.generations (
        doc_id, backfill, extractor_version, target_id, content_hash, state, ended_at
    )
    select backfill.doc_id(%(name)s, %(version)s, target_id, content), %(name)s, %(version)s,
        target_id, content, 'written', now()
    from answered
    returning *
),

kept as (
    insert into backfill.answer_blocks (backfill, extractor_version, answers, payload)
    values (%(name)s, %(version)s, 0, '')
    returning block_id
),

asked as (
    insert into backfill.questions (
        question_id, backfill, extractor_version, block_id, place, is_usable
    )
    select distinct backfill.question_id(%(name)s, %(version)s, content), %(name)s, %(version)s,
        block_id, 0, true
    from answered cross join kept
    on conflict do nothing
),

standing as (
    insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records)
    select doc_id, backfill, extractor_version, target_id, 1 from ended
)

insert into passage_concepts (passage_id, concept_name, extractor_model, extractor_version)
select target_id::uuid, 'concept', 'model', %(version)s
from answered
where abs(hashtext(target_id)) %% 50 > 0
"""
FORGET = """
truncate backfill.runs, backfill.answer_blocks, backfill.projections, backfill.restores,
    backfill.generations, passage_concepts cascade
"""
FLOOR = """
select count(*)
from (select backfill.content_hash(passage_text) as content from passages offset 0) as hashed
where not exists (select 1 from backfill.generations where content_hash = hashed.content)
"""
Result = TypeVar("Result")
Rounds = list[tuple[float, float]]
"""Microseconds of CPU a row of a plan and of the floor beside it."""


def once(connection: Connection) -> slices.Remaining:
    """Plan everything that remains; return what was found."""
    run, _ = runs.open_run(connection, BACKFILL, "full", None, None)
    found = slices.find_remaining(connection, BACKFILL)
    answers.forget_restores(connection, BACKFILL)
    slices.plan_restores(connection, BACKFILL)
    slices.insert_slices(connection, BACKFILL, run, LIMITS, Waves.of(None, pilot=False), None)
    return found


def main() -> None:
    """Print microseconds per row of the table, at the start, middle and end of a backfill."""
    with temporary_database(TABLES) as url:
        grown(url, asked("planning", SIZES), HASHES, ROUNDS, NUMBER)


def asked(name: str, sizes: Sequence[int]) -> list[int]:
    """Return how large the table is to be, as this bench was told, or these sizes."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}")
    parser.add_argument("--rows", default=",".join(map(str, sizes)))
    return [int(each) for each in parser.parse_args().rows.split(",")]


def grown(url: str, sizes: list[int], hashes: int, rounds: int, number: int) -> None:
    """Hand in what a plan costs as a table grows from one size to the next."""
    apply_migrations(url)
    found: dict[float, list[Rounds]] = {share: [] for share in SHARES}
    print(f"plan everything that remains; us of CPU a row of the table, min (median) of {rounds}")
    with psycopg.connect(url) as connection:
        connection.execute(UNLOGGED)
    for have, size in zip([0, *sizes], sizes, strict=False):
        with psycopg.connect(url) as connection:
            connection.execute(FORGET)
        fill(url, have, size, hashes)
        for before, share in zip([0.0, *SHARES], SHARES, strict=False):
            answer(url, int(size * before), int(size * share))
            found[share].append(measured(url, size, share, rounds))
    for share, by_size in found.items():
        hand_in(number, share, sizes, by_size)


def fill(url: str, have: int, size: int, hashes: int) -> None:
    """Let the table grow to a size, with statistics as after any bulk load."""
    with psycopg.connect(url) as connection:
        connection.execute(FILL, {"have": have, "size": size, "hashes": hashes})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def answer(url: str, have: int, answered: int) -> None:
    """Let so many rows be answered, of which some are by now."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(QUICKLY)
        connection.execute(ANSWER, {**VERSION, "have": have, "answered": answered})
        connection.execute("vacuum analyze")


def measured(url: str, size: int, share: float, rounds: int) -> Rounds:
    """Return every round with a share answered, each one undone again."""
    taken, walls = [], []
    with connect(url) as connection:
        connection.execute("set max_parallel_workers_per_gather = 0")
        connection.commit()
        for _ in range(rounds):
            beside, _, _ = timed(connection, lambda: connection.execute(FLOOR))
            cpu, wall, found = timed(connection, lambda: once(connection))
            connection.rollback()
            taken.append((cpu / size * 1e6, beside / size * 1e6))
            walls.append(wall)
            with psycopg.connect(url, autocommit=True) as beside_it:
                beside_it.execute("vacuum backfill.generations, backfill.restores")
    plans, floors = zip(*taken, strict=True)
    print(
        f"  {size:>9,} rows, {share:4.0%} answered: {spread(plans)}, floor {spread(floors)};"
        f" wall {spread(walls, ' s')} at load {os.getloadavg()[0]:.1f};"
        f" {found.askable:,} to ask, {found.restorable:,} to restore, {found.twins:,} twins",
        flush=True,
    )
    return taken


def timed(connection: Connection, work: Callable[[], Result]) -> tuple[float, float, Result]:
    """Return the CPU seconds of a connection's server process, the wall's, and what came of it."""
    cpu, wall = cpu_seconds(connection), time.perf_counter()
    came = work()
    return cpu_seconds(connection) - cpu, time.perf_counter() - wall, came


def hand_in(number: int, share: float, sizes: list[int], by_size: list[Rounds]) -> None:
    """Hand in the cost beside the floor, and the growth from the least size to the largest."""
    plans, floors = zip(*by_size[-1], strict=True)
    least = [plan for plan, _ in by_size[0]]
    what = f"plan with {share:.0%} answered, us a row at {sizes[-1]:,}"
    emit(Row(number, what, spread(plans, " us"), spread(floors, " us"), ratio(plans, floors)))
    growth = min(plans) / min(least)
    said = (spread(plans, " us"), spread(least, " us"), ratio(plans, least))
    emit(Row(number, f"{what} against {sizes[0]:,}", *said, f"flat: <= {FLAT}", growth <= FLAT))


if __name__ == "__main__":
    main()
