"""Writing `passage_concepts`: our COPY against raw binary COPY of the same bytes without index."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import psycopg

from bench.database import temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters import queries, records
from tasks.core.copy_rows import HEADER, TRAILER, packer

ROWS = 40_000
ROUNDS = 7
MOST_RATIO = 1.25
BACKFILL = backfills.get("passage_concepts")
TABLES = queries.load("demo/passages.sql")["create_tables"]
SQL = queries.load("queries/passage_concepts.sql")
WITHOUT_INDEXES = """
alter table passage_concepts drop constraint passage_concepts_pkey;
drop index passage_concepts_by_name, passage_concepts_by_version;
"""


def rows() -> list[tuple[object, ...]]:
    """Return rows of about 1,300 bytes, eight to a passage."""
    text = "Gradient descent follows the slope of a loss that is differentiable. " * 9
    evidence = orjson.dumps(
        {
            "surface": "gradient descent",
            "support": [{"quote": text[:60], "start": 0, "end": 60}],
            "context": text[:300],
            "source_text": text,
            "quality": {"confidence": 0.9, "notes": "exact"},
        }
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        (f"{number // 8:032x}", f"c{number}", "method", [], 0.9, "m", "v", evidence, now)
        for number in range(ROWS)
    ]


def timed(connection: psycopg.Connection, work: Callable[[], None]) -> list[float]:
    """Return the microseconds a row of each round, each into an empty table."""
    taken = []
    for _ in range(ROUNDS):
        connection.execute("truncate passage_concepts")
        connection.commit()
        connection.execute("checkpoint")  # not in the middle of a round
        began = time.perf_counter()
        work()
        connection.commit()
        taken.append((time.perf_counter() - began) / ROWS * 1e6)
    return taken


def main() -> None:
    """Print both ways and their ratio."""
    given = rows()
    with temporary_database(TABLES) as url, psycopg.connect(url) as connection:
        shape = connection.execute(SQL["record_columns"]).description or ()
        pack = packer([column.type_code for column in shape])
        payload = HEADER + b"".join(map(pack, given)) + TRAILER

        def raw() -> None:
            with connection.cursor().copy(SQL["copy_records"]) as copy:
                copy.write(payload)

        def ours() -> None:
            records.write(connection, BACKFILL, given)

        indexed = timed(connection, ours)
        connection.execute(WITHOUT_INDEXES)
        floor, bare = timed(connection, raw), timed(connection, ours)
    least = min(floor)
    print(f"{ROWS:,} rows of {len(payload) / ROWS:,.0f} bytes; us a row: min (median) of {ROUNDS}")
    named = {"raw COPY, no index (floor)": floor, "ours, no index": bare, "ours, indexed": indexed}
    for name, taken in named.items():
        middle = statistics.median(taken)
        print(f"  {name:28} {min(taken):6.1f} ({middle:.1f})  ratio {min(taken) / least:.2f}")
    for name, taken in (("no index", bare), ("the user's indexes", indexed)):
        said = (spread(taken, " us", 1), spread(floor, " us", 1), ratio(taken, floor))
        is_met = min(taken) <= MOST_RATIO * least
        emit(Row(6, f"a row of concepts, {name}", *said, f"<= {MOST_RATIO}", is_met))


if __name__ == "__main__":
    main()
