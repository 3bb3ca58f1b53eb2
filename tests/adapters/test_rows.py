"""Values into columns of any type, by the columns' own input, read back from a real Postgres."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.adapters import catalog
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.values import converter

COLUMNS = """
a uuid, b text, c varchar, d json, e jsonb, f text[], g numeric, h timestamptz, i mood, j bool,
k real, l float8, m int2, n int4, o int8, p char(3), q citext, r short
"""
MOODS = ("sad", "glad")
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
AWKWARD = st.sampled_from(["", "\\", "\\N", '"', "'", "\n", "\r", "\t", "\\.", "{}", "NULL", ","])
TEXT = STORABLE | st.lists(AWKWARD, max_size=4).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
VALUES: list[st.SearchStrategy[Any]] = [
    st.uuids(),
    TEXT,
    TEXT,
    JSON,
    JSON,
    st.lists(TEXT | st.none(), max_size=3),
    st.decimals(-(10**9), 10**9, places=3),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(MOODS),
    st.booleans(),
    st.integers(-(2**20), 2**20).map(lambda number: number / 4),  # exact, however it is printed
    st.floats(allow_nan=False),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.text("abc", min_size=3, max_size=3),
    TEXT,
    st.text("abc", max_size=5),
]
ROWS = st.tuples(*[st.none() | value for value in VALUES])
MAKE = """
create extension citext;
create type mood as enum ('sad', 'glad');
create domain short as varchar(5);
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        opened.execute(MAKE)
        yield opened


def copied(
    connection: Connection, columns: str, rows: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    connection.execute(f"drop table if exists t; create table t ({columns})".encode())
    table = catalog.relation(connection, "t", "a test")
    converters = [converter(column) for column in table.columns.values()]
    with connection.cursor().copy("copy t from stdin") as copy:
        for row in rows:
            copy.write_row([to(value) for to, value in zip(converters, row, strict=True)])
    return [tuple(row.values()) for row in connection.execute("select * from t")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(ROWS, max_size=4))
def test_what_is_written_is_read_back(connection: Connection, rows: list[Any]) -> None:
    assert rows == copied(connection, COLUMNS, rows)


def test_what_postgres_cannot_hold_does_not_fail_the_slice(connection: Connection) -> None:
    dirty, clean = "nul\0 half\ud800 é", "nul\ufffd half\ufffd é"
    columns = "a text, b varchar, c jsonb, d json, e text[], f citext"
    row = (dirty, dirty, [dirty, {dirty: dirty}], dirty, [dirty, None], dirty)

    [read] = copied(connection, columns, [row])

    assert read == (clean, clean, [clean, {clean: clean}], clean, [clean, None], clean)


def test_bytes_are_json_already_wherever_they_go(connection: Connection) -> None:
    [row] = copied(connection, "a json, b jsonb, c text", [(b'{"x":"\\n"}',) * 3])

    assert row == ({"x": "\n"}, {"x": "\n"}, '{"x":"\\n"}')


def test_an_id_given_as_text_fits_a_column_of_any_type(connection: Connection) -> None:
    row = (UUID(int=5).hex, "7", "2026-01-01", "(1,2)")

    [read] = copied(connection, "a uuid, b bigint, c date, d point", [row])

    assert read[:2] == (UUID(int=5), 7)


def test_a_value_with_parts_is_json_in_a_text_column(connection: Connection) -> None:
    [row] = copied(connection, "a text, b text, c text", [(["é", "\0"], {"a": 1}, 7)])

    assert row == ('["é","\ufffd"]', '{"a":1}', "7")


def test_a_float_fits_a_numeric_column(connection: Connection) -> None:
    [row] = copied(connection, "a numeric, b real, c float8", [(0.5, 1, Decimal("0.25"))])

    assert row == (Decimal("0.5"), 1.0, 0.25)


REFUSED = "refused"
NESTED = {"a": [1, {"b": None}]}
COLUMNS_OF_ONE = {
    "text": [
        ("é", "é"),
        (["what", "would"], '["what","would"]'),
        (NESTED, '{"a":[1,{"b":null}]}'),
        (True, "true"),
        (0.73, "0.73"),
        (7, "7"),
        (None, None),
        ([], "[]"),
        (b"[1]", "[1]"),
    ],
    "varchar(8)": [("short", "short"), ("far too long", REFUSED), (["a"], '["a"]')],
    "json": [("é", "é"), (["a"], ["a"]), (NESTED, NESTED), (True, True), (0.5, 0.5), (None, None)],
    "jsonb": [("\0", "\ufffd"), (["a"], ["a"]), (NESTED, NESTED), (b'"\\u0000"', "\ufffd")],
    "text[]": [
        (["a", None, 'b"\\,{}'], ["a", None, 'b"\\,{}']),
        ([], []),
        (["NULL", ""], ["NULL", ""]),
        ([1, 0.5, True], ["1", "0.5", "true"]),
        ([["a"], {"b": 1}], ['["a"]', '{"b":1}']),
        (b'["a"]', ["a"]),
        ("a", REFUSED),
        ({"a": 1}, REFUSED),
        (None, None),
    ],
    "int[]": [([1, 2], [1, 2]), ([1.0], [1]), ([0.73], REFUSED), (["x"], REFUSED)],
    "int[][]": [([[1, 2], [3, 4]], [[1, 2], [3, 4]]), ([[1], [2, 3]], REFUSED)],
    "float8[]": [([0.25, 1.5], [0.25, 1.5]), ([1, 0.5], [1.0, 0.5]), ([None, 0.5], [None, 0.5])],
    "jsonb[]": [([{"a": 1}, "b"], [{"a": 1}, "b"])],
    "integer": [(7, 7), (1.0, 1), (0.73, REFUSED), ("7", 7), (True, REFUSED), ([1], REFUSED)],
    "smallint": [(7, 7), (40_000, REFUSED), (0.73, REFUSED)],
    "numeric": [
        (0.73, Decimal("0.73")),
        (7, 7),
        ("x", REFUSED),
        (True, REFUSED),
        (NESTED, REFUSED),
    ],
    "real": [(0.5, 0.5), (7, 7.0), ([0.5], REFUSED), (True, REFUSED)],
    "boolean": [(True, True), (False, False), ("yes", True), (0.73, REFUSED), (["a"], REFUSED)],
    "timestamptz": [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("soon", REFUSED),
        (0.73, REFUSED),
        (["a"], REFUSED),
    ],
    "mood": [("sad", "sad"), ("Sad", REFUSED), (["sad"], REFUSED), (None, None)],
    "bytea": [("a\\x41 é", "a\\x41 é".encode()), (["a"], b'["a"]'), (b"{}", b"{}"), (None, None)],
    "deep": [([0.5, 0.25], [0.5, 0.25]), ([0.5], REFUSED)],
    "bit(3)": [("101", "101"), ("1", REFUSED), (5, REFUSED)],
}


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [(column, *each) for column, found in COLUMNS_OF_ONE.items() for each in found],
)
def test_every_shape_of_value_is_kept_whole_or_refused(
    connection: Connection, column: str, value: object, wanted: object
) -> None:
    connection.execute(
        "create domain flat as float8[]; create domain deep as flat check (cardinality(value) = 2)"
    )
    if wanted == REFUSED:
        with pytest.raises(psycopg.DataError if column != "deep" else psycopg.IntegrityError):
            copied(connection, f"a {column}", [(value,)])
        return

    [(read,)] = copied(connection, f"a {column}", [(value,)])

    assert read == wanted
    assert type(read) is type(wanted) or isinstance(read, Decimal)
