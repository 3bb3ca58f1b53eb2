from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.copy_rows import HEADER, TRAILER, UnsupportedColumnError, packer

COLUMNS = "a uuid, b text, c jsonb, d real, e int, f timestamptz, g bool, h bigint, i float8"
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
rows = st.tuples(
    st.uuids(),
    storable,
    st.lists(storable),
    st.floats(width=32, allow_nan=False),
    st.integers(-(2**31), 2**31 - 1),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
)
rows_with_nulls = rows.flatmap(
    lambda row: st.tuples(*(st.one_of(st.just(value), st.none()) for value in row))
)


def copied(connection: psycopg.Connection, columns: str, given_rows: list) -> list:
    connection.execute("drop table if exists t")
    connection.execute(f"create temporary table t ({columns})")
    oids = [column.type_code for column in connection.execute("select * from t").description]
    pack = packer(oids)
    with connection.cursor().copy("copy t from stdin with (format binary)") as copy:
        copy.write(HEADER + b"".join(map(pack, given_rows)) + TRAILER)
    return connection.execute("select * from t", binary=True).fetchall()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(rows_with_nulls, max_size=4))
def test_what_postgres_reads_is_what_was_packed(database_url: str, given_rows: list) -> None:
    with psycopg.connect(database_url) as connection:
        assert given_rows == copied(connection, COLUMNS, given_rows)


def test_what_postgres_cannot_hold_does_not_fail_the_slice(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        [row] = copied(connection, "a text, b jsonb", [("nul\0 half\ud800", ["x\0", "\udfff"])])

    assert row == ("nul\ufffd half\ufffd", ["x\ufffd", "\ufffd"])


def test_an_id_given_as_text_fits_a_uuid_column(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        [row] = copied(connection, "a uuid", [(str(UUID(int=5)),)])

    assert row == (UUID(int=5),)


def test_a_list_for_a_text_column_is_written_as_it_prints(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        [row] = copied(connection, "a text, b text", [("x", ["y"])])

    assert row == ("x", "['y']")


def test_a_type_that_nobody_can_write_is_named() -> None:
    with pytest.raises(UnsupportedColumnError, match="oid 869"):
        packer([869])  # inet
