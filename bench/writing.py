"""Writing `passage_concepts`: ways of COPY against raw binary COPY of the same bytes without index.

Every round writes the same rows in every way, one after the other, each into an empty table.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import LiteralString
from uuid import UUID

import orjson
import psutil
import psycopg
from psycopg.types.json import set_json_dumps

from bench.database import temporary_database
from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.adapters import queries, records

ROWS = 40_000
ROUNDS = 7
MOST_RATIO = 1.25
BACKFILL = backfills.get("passage_concepts")
TABLES = queries.load("demo/passages.sql")["create_tables"]
SQL = queries.load("queries/passage_concepts.sql")
COPY_TEXT: LiteralString = SQL["copy_records"].replace(" with (format binary)", "")
COPY_OUT = "copy passage_concepts to stdout with (format binary)"
RAW, OURS = "raw COPY (floor)", "our packer"
Connection = psycopg.Connection
Rows = list[tuple[object, ...]]


def rows() -> Rows:
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
        (f"{number // 8:032x}", f"c{number}", "method", ["descent"], 0.9, "m", "v", evidence, now)
        for number in range(ROWS)
    ]


def fit(text: object) -> str:
    """Return a text without what Postgres cannot hold, as every way has to."""
    said = str(text)
    return said if said.isascii() and "\0" not in said else said.replace("\0", "\ufffd")


def for_text(given: Rows) -> Iterator[tuple[object, ...]]:
    """Yield rows as psycopg writes them as text: JSON is text already."""
    for id_, name, type_, aliases, share, model, version, evidence, at in given:
        names, found = orjson.dumps(aliases).decode(), evidence.decode()  # type: ignore[attr-defined]
        yield id_, fit(name), fit(type_), names, share, fit(model), fit(version), found, at


def for_binary(given: Rows) -> Iterator[tuple[object, ...]]:
    """Yield rows as psycopg's binary dumpers want them: an id is a UUID."""
    for id_, name, type_, aliases, share, model, version, evidence, at in given:
        key = UUID(id_)  # type: ignore[arg-type]
        yield key, fit(name), fit(type_), aliases, share, fit(model), fit(version), evidence, at


def ours(connection: Connection, given: Rows) -> None:
    """Write as the product does."""
    records.write(connection, BACKFILL, given)


def as_text(connection: Connection, given: Rows) -> None:
    """Write with psycopg, as text."""
    with connection.cursor().copy(COPY_TEXT) as copy:
        for row in for_text(given):
            copy.write_row(row)


def as_binary(connection: Connection, given: Rows) -> None:
    """Write with psycopg, in binary by the columns' types."""
    shape = connection.execute(SQL["record_columns"]).description or ()
    with connection.cursor().copy(SQL["copy_records"]) as copy:
        copy.set_types([column.type_code for column in shape])
        for row in for_binary(given):
            copy.write_row(row)


def raw(connection: Connection, payload: bytes) -> None:
    """Write bytes that are packed already."""
    with connection.cursor().copy(SQL["copy_records"]) as copy:
        copy.write(payload)


def packed(connection: Connection, given: Rows) -> bytes:
    """Return the rows as Postgres itself packs them."""
    ours(connection, given)
    with connection.cursor().copy(COPY_OUT) as copy:
        return b"".join(copy)


def clocks(postgres: psutil.Process) -> tuple[float, float, float]:
    """Return the time, our CPU and Postgres's, in seconds."""
    theirs = postgres.cpu_times()
    return time.perf_counter(), time.process_time(), theirs.user + theirs.system


def timed(
    connection: Connection, ways: Mapping[str, Callable[[], None]]
) -> dict[str, list[tuple[float, ...]]]:
    """Return wall, our CPU and Postgres's of each way and round, in microseconds a row."""
    postgres = psutil.Process(connection.info.backend_pid)
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            connection.execute("truncate passage_concepts")
            connection.commit()
            connection.execute("checkpoint")  # not in the middle of a round
            before = clocks(postgres)
            work()
            connection.commit()
            after = clocks(postgres)
            spent = zip(before, after, strict=True)
            taken[name].append(tuple((end - start) / ROWS * 1e6 for start, end in spent))
    return taken


def show(title: str, taken: Mapping[str, list[tuple[float, ...]]], least: float) -> None:
    """Print one line for each way."""
    for name, rounds in taken.items():
        wall, cpu, theirs = map(list, zip(*rounds, strict=True))
        said = f"{spread(wall, digits=1):14}ratio {min(wall) / least:.2f}"
        print(f"  {title:18}{name:18}{said}", end="  ")
        print(f"CPU {spread(cpu, digits=1)}, Postgres's {spread(theirs, digits=1)}")


def main() -> None:
    """Print all ways and their ratios."""
    given = rows()
    with temporary_database(TABLES) as url, psycopg.connect(url) as connection:
        set_json_dumps(lambda value: value if type(value) is bytes else orjson.dumps(value))
        payload = packed(connection, given)
        ways = {
            RAW: partial(raw, connection, payload),
            OURS: partial(ours, connection, given),
            "psycopg, binary": partial(as_binary, connection, given),
            "psycopg, text": partial(as_text, connection, given),
        }
        indexed = timed(connection, ways)
        connection.execute("drop index passage_concepts_by_passage")
        bare = timed(connection, ways)
    floor = [wall for wall, *_ in bare[RAW]]
    print(f"{ROWS:,} rows of {len(payload) / ROWS:,.0f} bytes; us a row: min (median) of {ROUNDS}")
    show("no index", bare, min(floor))
    show("the user's index", indexed, min(floor))
    for name, rounds in (("no index", bare[OURS]), ("the user's index", indexed[OURS])):
        taken = [wall for wall, *_ in rounds]
        said = (spread(taken, " us", 1), spread(floor, " us", 1), ratio(taken, floor))
        is_met = min(taken) <= MOST_RATIO * min(floor)
        emit(Row(6, f"a row of concepts, {name}", *said, f"<= {MOST_RATIO}", is_met))


if __name__ == "__main__":
    main()
