"""Planning: what remains, cut into slices, as one set-based transaction, as the table grows."""

import time

import psycopg

from bench.database import temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters.ledger import runs, slices
from tasks.adapters.postgres import Connection, apply_migrations, connect, statements
from tasks.core.slicing import SliceLimits, Waves

BACKFILL = backfills.get("passage_concepts")
TABLES = statements("demo/passages.sql")["create_tables"]
SIZES = (10_000, 50_000, 550_000)
SHARES = (0.0, 0.5, 0.98)
ROUNDS = 5
FLAT = 1.25
LIMITS = SliceLimits(rows=5000, tokens=10**9, tokens_per_request=500, bytes_per_request=2500)
FILL = """
insert into passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)
select gen_random_uuid(), gen_random_uuid(), 0, 594, repeat(md5(n::text) || ' ', 18)
from generate_series(%s::int + 1, %s) as n
"""
ANSWER = """
update backfill.generations set state = 'written'
"""


def once(connection: Connection, limit: int | None = None) -> float:
    """Return the seconds of one plan."""
    began = time.perf_counter()
    run, _ = runs.open_run(connection, BACKFILL, "full", None, None)
    slices.find_remaining(connection, BACKFILL)
    slices.insert_slices(connection, BACKFILL, run, LIMITS, Waves.of(None, pilot=False), limit)
    return time.perf_counter() - began


def main() -> None:
    """Print microseconds per row of the table, at the start, middle and end of a backfill."""
    found: dict[float, dict[int, list[float]]] = {share: {} for share in SHARES}
    with temporary_database(TABLES) as url:
        apply_migrations(url)
        have = 0
        print(f"plan everything that remains; us per row of the table, min (median) of {ROUNDS}")
        for size in SIZES:
            fill(url, have, size)
            have = size
            for share, by_size in found.items():
                us = [each / size * 1e6 for each in measured(url, int(size * share))]
                by_size[size] = us
                print(
                    f"  {size:>8,} rows, {share:4.0%} answered: {spread(us)}"
                    f" = {min(us) * size / 1e6:.2f} s"
                )
    for share, by_size in found.items():
        hand_in(share, by_size)


def fill(url: str, have: int, size: int) -> None:
    """Let the table grow to a size, with statistics as after any bulk load."""
    with psycopg.connect(url) as connection:
        connection.execute(FILL, (have, size))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def hand_in(share: float, by_size: dict[int, list[float]]) -> None:
    """Hand in the growth from the least size to the largest."""
    least, most = by_size[SIZES[0]], by_size[SIZES[-1]]
    growth = min(most) / min(least)
    emit(
        Row(
            1,
            f"plan with {share:.0%} answered, us a row at {SIZES[-1]:,} against {SIZES[0]:,}",
            spread(most, " us"),
            spread(least, " us"),
            ratio(most, least),
            f"flat: <= {FLAT}",
            growth <= FLAT,
        )
    )


def measured(url: str, answered: int) -> list[float]:
    """Return the seconds of each round, every one undone again."""
    taken = []
    with connect(url) as connection:
        if answered:
            once(connection, answered)
            connection.execute(ANSWER)
            connection.execute("analyze backfill.generations")
            connection.commit()
        for _ in range(ROUNDS):
            connection.execute("savepoint before")
            taken.append(once(connection))
            connection.execute("rollback to before")
        connection.execute(
            "truncate backfill.runs, backfill.answer_blocks, backfill.projections,"
            " backfill.restores cascade"
        )
    return taken


if __name__ == "__main__":
    main()
