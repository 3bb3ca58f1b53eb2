"""What is blank is blank in both languages."""

import unicodedata
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from deployments.local.postgres import Postgres
from tasks.core.unseen import SEEN, is_blank

CODES = [code for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
BLANK = [chr(code) for code in CODES if is_blank(chr(code))]


@pytest.fixture
def cursor(database_url: str) -> Iterator["psycopg.Cursor[tuple[int]]"]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection.cursor()


def test_both_languages_agree_on_every_character(cursor: "psycopg.Cursor[tuple[int]]") -> None:
    said = cursor.execute(
        "select code from unnest(%s::int[]) as code where chr(code) !~ %s order by code",
        [CODES, SEEN],
    )

    assert [chr(row[0]) for row in said] == BLANK


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1251"])
def test_a_database_of_another_encoding_takes_the_expression(
    postgres: Postgres, encoding: str
) -> None:
    create = "create database {} encoding {} locale_provider libc locale 'C' template template0"
    name = sql.Identifier(f"in_{encoding}")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL(create).format(name, sql.Literal(encoding)))
        try:
            with psycopg.connect(postgres.url(f"in_{encoding}")) as other:
                said = other.execute("select ' \t' !~ %s, ' x ' !~ %s", [SEEN, SEEN]).fetchone()
        finally:
            connection.execute(sql.SQL("drop database {}").format(name))

    assert said == (True, False)


def test_what_python_calls_space_and_unicode_calls_control_is_blank() -> None:
    assert all(is_blank(chr(code)) for code in CODES if chr(code).isspace())
    controls = [chr(code) for code in CODES if unicodedata.category(chr(code)) in ("Cc", "Zs")]
    assert all(map(is_blank, controls))
    assert is_blank("")
    assert is_blank("\0")
    assert not any(map(is_blank, ["a", "\u0301", "🏳️‍🌈", "。", "\ufffd", "\u0660"]))


@given(
    st.text(st.sampled_from(BLANK) | st.characters(exclude_categories=["Cs"]), max_size=6).filter(
        lambda text: "\0" not in text
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_languages_agree_on_every_text(
    cursor: "psycopg.Cursor[tuple[int]]", text: str
) -> None:
    [said] = cursor.execute("select %s::text !~ %s", [text, SEEN]).fetchone() or (None,)

    assert said == is_blank(text)
