"""Planning: what every row wants, cut into slices, as one set-based transaction, as tables grow.

    python -m bench.planning [--rows 55000,550000]

Of the rows 4 % ask what another one asks. Where some are answered, the rows of every fiftieth of
them were deleted, and wait to be restored. The floor, in the same round: a hash of every text, and
one anti join with what the ledger knows.
"""

import argparse
import time

import psycopg

from bench.database import temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters.ledger import answers, runs, slices
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import Connection, connect, statements
from tasks.core.slicing import SliceLimits, Waves

BACKFILL = backfills.get("passage_concepts")
TABLES = statements("demo/passages.sql")["create_tables"]
SIZES = (55_000, 550_000)
SHARES = (0.0, 0.5, 0.98)
ROUNDS = 3
FLAT = 1.25
LIMITS = SliceLimits(rows=5000, tokens=10**9, tokens_per_request=500, bytes_per_request=2500)
VERSION = {"name": BACKFILL.name, "version": BACKFILL.extractor_version}
FILL = """
insert into passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)
select
    gen_random_uuid(), gen_random_uuid(), 0, 594,
    repeat(md5((n - (n %% 25 = 0)::int)::text) || ' ', 18)
from generate_series(%s::int + 1, %s) as n
"""
ANSWER = """
with answered as (
    select passage_id::text as target_id, backfill.content_hash(passage_text) as content
    from passages
    limit %(answered)s
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
Rounds = list[tuple[float, float]]
"""Microseconds a row of a plan and of the floor beside it."""


def once(connection: Connection) -> tuple[float, slices.Remaining]:
    """Return the seconds of one plan, and what it found."""
    began = time.perf_counter()
    run, _ = runs.open_run(connection, BACKFILL, "full", None, None)
    found = slices.find_remaining(connection, BACKFILL)
    answers.forget_restores(connection, BACKFILL)
    slices.plan_restores(connection, BACKFILL)
    slices.insert_slices(connection, BACKFILL, run, LIMITS, Waves.of(None, pilot=False), None)
    return time.perf_counter() - began, found


def floor(connection: Connection) -> float:
    """Return the seconds of what cannot be avoided."""
    began = time.perf_counter()
    connection.execute(FLOOR)
    return time.perf_counter() - began


def main() -> None:
    """Print microseconds per row of the table, at the start, middle and end of a backfill."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning")
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    sizes = [int(each) for each in parser.parse_args().rows.split(",")]
    found: dict[float, list[Rounds]] = {share: [] for share in SHARES}
    with temporary_database(TABLES) as url:
        apply_migrations(url)
        print(f"plan everything that remains; us per row of the table, min (median) of {ROUNDS}")
        for have, size in zip([0, *sizes], sizes, strict=False):
            fill(url, have, size)
            for share, by_size in found.items():
                by_size.append(measured(url, size, share))
    for share, by_size in found.items():
        hand_in(share, sizes, by_size)


def fill(url: str, have: int, size: int) -> None:
    """Let the table grow to a size, with statistics as after any bulk load."""
    with psycopg.connect(url) as connection:
        connection.execute(FILL, (have, size))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def measured(url: str, size: int, share: float) -> Rounds:
    """Return every round with a share answered, each one undone again."""
    taken = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ANSWER, {**VERSION, "answered": int(size * share)})
        connection.execute("vacuum analyze")
    with connect(url) as connection:
        for _ in range(ROUNDS):
            beside = floor(connection)
            seconds, found = once(connection)
            connection.rollback()
            taken.append((seconds / size * 1e6, beside / size * 1e6))
        connection.execute(FORGET)
    plans, floors = zip(*taken, strict=True)
    print(
        f"  {size:>8,} rows, {share:4.0%} answered: {spread(plans)}"
        f" = {min(plans) * size / 1e6:.2f} s, floor {spread(floors)};"
        f" {found.askable:,} to ask, {found.restorable:,} to restore, {found.twins:,} twins"
    )
    return taken


def hand_in(share: float, sizes: list[int], by_size: list[Rounds]) -> None:
    """Hand in the cost beside the floor, and the growth from the least size to the largest."""
    plans, floors = zip(*by_size[-1], strict=True)
    least = [plan for plan, _ in by_size[0]]
    what = f"plan with {share:.0%} answered, us a row at {sizes[-1]:,}"
    emit(Row(1, what, spread(plans, " us"), spread(floors, " us"), ratio(plans, floors)))
    growth = min(plans) / min(least)
    said = (spread(plans, " us"), spread(least, " us"), ratio(plans, least))
    emit(Row(1, f"{what} against {sizes[0]:,}", *said, f"flat: <= {FLAT}", growth <= FLAT))


if __name__ == "__main__":
    main()
