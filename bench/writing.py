"""Writing `passage_concepts`: our COPY against raw binary COPY of the same bytes without index.

Beside ours stands psycopg's binary COPY, which knows fewer types: what going by each column's own
input costs.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import set_json_dumps

from bench.database import temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters import rows, tables
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import Connection, connect, statements
from tasks.core.backfill import Record, Target

ROWS = 40_000
ROUNDS = 7
MOST_RATIO = 1.7
BACKFILL = backfills.get("passage_concepts")
TABLES = statements("demo/passages.sql")["create_tables"]
WITHOUT_INDEXES = """
alter table passage_concepts drop constraint passage_concepts_pkey;
drop index passage_concepts_by_name, passage_concepts_by_version;
"""
COLUMNS = (
    "passage_id, extractor_version, extractor_model, created_at,"
    " concept_name, concept_type, aliases, confidence, evidence"
)
TYPES = ["uuid", "text", "text", "timestamptz", "text", "text", "jsonb", "float4", "jsonb"]
STAMP = {
    tables.VERSION: BACKFILL.extractor_version,
    tables.MODEL: BACKFILL.model,
    tables.CREATED: datetime(2026, 1, 1, tzinfo=UTC),
}


def records() -> Iterator[tuple[Target, Record]]:
    """Yield records of about 1,300 bytes, eight to a passage."""
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
    for number in range(ROWS):
        yield (
            Target(UUID(int=number), str(UUID(int=number // 8)), text),
            {
                "concept_name": f"c{number}",
                "concept_type": "method",
                "aliases": [],
                "confidence": 0.9,
                "evidence": evidence,
            },
        )


def ours(connection: Connection) -> None:
    """Write as the product does."""
    rows.write(connection, tables.of(connection, BACKFILL), records(), STAMP)


def as_binary(connection: Connection) -> None:
    """Write with psycopg, in binary by the columns' types."""
    stamp = tuple(STAMP.values())
    set_json_dumps(lambda value: value if isinstance(value, bytes) else orjson.dumps(value))
    statement = f"copy passage_concepts ({COLUMNS}) from stdin with (format binary)"
    with connection.cursor().copy(statement) as copy:  # type: ignore[arg-type]
        copy.set_types(TYPES)
        for target, record in records():
            name, kind, aliases, share, evidence = record.values()
            values = (name, kind, psycopg.types.json.Jsonb(aliases), share)
            json = psycopg.types.json.Jsonb(evidence)
            copy.write_row((UUID(target.target_id), *stamp, *values, json))


def raw(connection: Connection, payload: bytes) -> None:
    """Write bytes that are packed already."""
    with connection.cursor().copy("copy passage_concepts from stdin with (format binary)") as copy:
        copy.write(payload)


def packed(connection: Connection) -> bytes:
    """Return the rows as Postgres itself packs them."""
    ours(connection)
    with connection.cursor().copy("copy passage_concepts to stdout with (format binary)") as copy:
        return b"".join(bytes(each) for each in copy)


def timed(connection: Connection, ways: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Return the microseconds a row of each way and round, each into an empty table."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            connection.execute("truncate passage_concepts")
            connection.commit()
            connection.execute("checkpoint")  # not in the middle of a round
            began = time.perf_counter()
            way()
            connection.commit()
            taken[name].append((time.perf_counter() - began) / ROWS * 1e6)
    return taken


def main() -> None:
    """Print all ways and their ratios."""
    with temporary_database(TABLES) as url:
        apply_migrations(url)
        with connect(url) as connection:
            payload = packed(connection)
            ways = {
                "raw COPY": partial(raw, connection, payload),
                "ours": partial(ours, connection),
                "psycopg, binary": partial(as_binary, connection),
            }
            indexed = timed(connection, ways)
            connection.execute(WITHOUT_INDEXES)
            bare = timed(connection, ways)
    floor = bare["raw COPY"]
    print(f"{ROWS:,} rows of {len(payload) / ROWS:,.0f} bytes; us a row: min (median) of {ROUNDS}")
    for where, by_way in (("no index", bare), ("the user's indexes", indexed)):
        for name, taken in by_way.items():
            middle = statistics.median(taken)
            shown = f"{min(taken):6.1f} ({middle:.1f})  ratio {min(taken) / min(floor):.2f}"
            print(f"  {name + ', ' + where:36} {shown}")
        said = (spread(by_way["ours"], " us", 1), spread(floor, " us", 1))
        share = ratio(by_way["ours"], floor)
        is_met = min(by_way["ours"]) <= MOST_RATIO * min(floor)
        emit(Row(6, f"a row of concepts, {where}", *said, share, f"<= {MOST_RATIO}", is_met))


if __name__ == "__main__":
    main()
