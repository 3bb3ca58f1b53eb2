"""Kept answers: their bytes, and rows written again from them, as the ledger grows.

    python -m bench.restoring [--rows 55000,550000]

Some passages are answered as by a job. The rest are copies of them with a text, a question and an
answer of their own, made by Postgres: to ask for 550,000 would take as long as a whole run. The
floor is the raw binary COPY of the same rows into a table without index. Each way of writing runs
in a process of its own, whose peak is its memory's.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench.slice import BACKFILL, answered, cost, loaded, once, payload_of, plan
from bench.table import Row, emit
from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.writing.reread import Scope, read_again
from tasks.writing.restore import restore_kept

SIZES = (55_000, 550_000)
BASE = 5000
"""So many are really answered."""
MOST_MB = 300
VERSION = {"name": BACKFILL.name, "version": BACKFILL.extractor_version}
COPY_BLOCKS = """
insert into backfill.answer_blocks (block_id, backfill, extractor_version, answers, payload)
overriding system value
select block_id + %(edition)s * %(blocks)s, backfill, extractor_version, answers, payload
from backfill.answer_blocks
where block_id <= %(blocks)s
"""
COPY_REST = """
with copied as (
    select
        md5(passages.passage_id::text || %(edition)s) as id,
        format('Copy %%s. %%s', %(edition)s, passages.passage_text) as text,
        questions.block_id + %(edition)s * %(blocks)s as block_id,
        questions.place
    from backfill.generations
    inner join passages on generations.target_id = passages.passage_id::text
    inner join backfill.questions
        on questions.question_id
        = backfill.question_id(%(name)s, %(version)s, generations.content_hash)
    where generations.slice_id is not null and questions.is_usable
),

hashed as materialized (select *, backfill.content_hash(text) as content from copied),

rows as (
    insert into passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)
    select id::uuid, id::uuid, 0, char_length(text), text from hashed
),

asked as (
    insert into backfill.questions (
        question_id, backfill, extractor_version, block_id, place, is_usable
    )
    select
        backfill.question_id(%(name)s, %(version)s, content), %(name)s, %(version)s,
        block_id, place, true
    from hashed
),

ended as (
    insert into backfill.generations (
        doc_id, backfill, extractor_version, target_id, content_hash, state, ended_at
    )
    select
        backfill.doc_id(%(name)s, %(version)s, id::uuid::text, content), %(name)s, %(version)s,
        id::uuid::text, content, 'written', now()
    from hashed
    returning doc_id, target_id
)

insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records)
select doc_id, %(name)s, %(version)s, target_id, 1 from ended
"""
BYTES = """
select
    (select sum(octet_length(payload)) from backfill.answer_blocks),
    (select sum(pg_total_relation_size(format('backfill.%%I', relation)))
        from unnest(%(tables)s::text[]) as relation),
    (select count(*) from backfill.questions)
"""
TABLES = ["answer_blocks", "questions", "projections"]


class Written(NamedTuple):
    """What a way of writing came to: targets, seconds, CPU of its process, and its peak."""

    targets: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def main() -> None:
    """Print and hand in bytes, rows a second and memory for each number of rows."""
    parser = argparse.ArgumentParser(prog="python -m bench.restoring")
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    sizes = [int(each) for each in parser.parse_args().rows.split(",")]
    with tempfile.TemporaryDirectory() as place, loaded(Path(place), BASE) as url:
        lines = {each.slice_id: answered(each.slice_id, Path(place)) for each in plan()}
        once(list(lines), lines)
        raw = sum(map(len, lines.values())) / BASE
        floor = copied_raw(url)
        blocks = number_of_blocks(url)
        for before, size in zip([BASE, *sizes], sizes, strict=False):
            grow(url, range(before // BASE, size // BASE), blocks)
            hand_in_bytes(url, raw)
            for name, way in WAYS.items():
                hand_in(name, alone(way), floor)


def copied_raw(url: str) -> float:
    """Return the seconds a target of the raw COPY of its rows, at best."""
    payload = payload_of(url)
    with psycopg.connect(url, autocommit=True) as connection:

        def raw() -> None:
            with connection.cursor().copy("copy floor from stdin with (format binary)") as copy:
                copy.write(payload)

        return min(cost(raw)[1] for _ in range(3)) / BASE


def number_of_blocks(url: str) -> int:
    """Return the number of the last block of answers."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select max(block_id) from backfill.answer_blocks").fetchone()
    return int(row[0]) if row else 0


def grow(url: str, editions: range, blocks: int) -> None:
    """Let the ledger hold more answers, and the table no row."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate passage_concepts, floor")
        for edition in editions:
            values = {**VERSION, "edition": edition, "blocks": blocks}
            connection.execute(COPY_BLOCKS, values)
            connection.execute(COPY_REST, values)
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def restore() -> int:
    """Write all rows, of which none stands; return of how many targets."""
    with connect() as connection:
        slices.find_remaining(connection, BACKFILL)
        slices.plan_restores(connection, BACKFILL)
    return restore_kept(BACKFILL)


def reread() -> int:
    """Read all kept answers again, all of whose rows stand; return of how many targets."""
    return read_again(BACKFILL, Scope.ALL, also_edited=False).kinds.total()


WAYS: dict[str, Callable[[], int]] = {"restore": restore, "reread": reread}
"""What writes from kept answers; each but the first finds all rows standing."""


def alone(way: Callable[[], int]) -> Written:
    """Return what a way comes to in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as pool:
        return pool.submit(_measured, way).result()


def _measured(way: Callable[[], int]) -> Written:
    cpu, began = time.process_time(), time.perf_counter()
    targets = way()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Written(targets, seconds, time.process_time() - cpu, peak)


def hand_in_bytes(url: str, raw: float) -> None:
    """Hand in what a kept answer takes, beside its line in the job's output."""
    with psycopg.connect(url) as connection:
        row = connection.execute(BYTES, {"tables": TABLES}).fetchone()
    payload, whole, questions = map(int, row or (0, 0, 1))
    what = f"one of {questions:,} kept answers, and with its indexes and its projection"
    each = f"{payload / questions:.0f} B, {whole / questions:.0f} B"
    print(f"{what}: {each}; its line in the output {raw:,.0f} B")
    emit(Row(12, what, each, f"{raw:,.0f} B", f"{whole / questions / raw:.2f}"))


def hand_in(name: str, written: Written, floor: float) -> None:
    """Hand in rate and memory of a way of writing."""
    rate = written.targets / written.seconds
    cpu = written.cpu_seconds / written.targets * 1e3
    print(
        f"  {name}: {written.targets:,} targets in {written.seconds:.1f} s, {rate:,.0f} a second,"
        f" CPU of the process {cpu:.3f} ms a target, peak {written.peak_mb:.0f} MB"
    )
    emit(
        Row(
            12,
            f"{name} of {written.targets:,} targets; peak {written.peak_mb:.0f} MB",
            f"{rate:,.0f} a second, CPU {cpu:.3f} ms",
            f"{1 / floor:,.0f} a second",
            f"{1 / (rate * floor):.2f}",
            f"peak < {MOST_MB} MB",
            written.peak_mb < MOST_MB,
        )
    )


if __name__ == "__main__":
    main()
