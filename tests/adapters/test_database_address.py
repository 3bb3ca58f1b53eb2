"""An address in any usual shape works, and none is ever shown with its password."""

from urllib.parse import quote, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from tasks.adapters.postgres import connect, too_old, writable
from tasks.adapters.settings import settings
from tasks.core.errors import SettingsError

UNREADABLE = [
    "jdbc:postgresql://me:S3CRET@127.0.0.1:1/app",
    "jdbc:postgresql://127.0.0.1:1/app?user=me&password=S3CRET",
    "postgresql://me:p@S3CRET@127.0.0.1:1/app",
    "postgresql://me:S3CRET/x@127.0.0.1:1/app",
    "postgresql://me:S3CRET%@127.0.0.1:1/app",
    "postgresql://me:S3CRET%zz@127.0.0.1:1/app",
    "postgresql://me:S3CRET@[::1/app",
    "postgresql://me:S3CRET@127.0.0.1:one/app",
    "postgresql://me%3AS3CRET%40127.0.0.1/app",
    "postgresql://me%3AS3CRET@127.0.0.1:1/app",
    "postgresql%3A%2F%2Fme%3AS3CRET%40127.0.0.1%3A1%2Fapp",
    "postgresql://me:S3CRET\udcff@127.0.0.1:1/app",
    "postgresql://me\u200b:S3CRET@127.0.0.1:1/app",
    "postgresql://me:S3CRET@127.0.0.1:1/app\ufeff",
    "“postgresql://me:S3CRET@127.0.0.1:1/app”",
    "host=127.0.0.1 port=1 user=me password=S3CRET dbname=\u202eapp",
    "mysql://me:S3CRET@127.0.0.1:1/app",
    "me:S3CRET@127.0.0.1:1/app",
    "'postgresql://me:S3CRET@127.0.0.1:1/app'",
    "host=127.0.0.1 port=1 password='S3CRET dbname=app",
    "host=127.0.0.1 port=1 password=a S3CRET dbname=app",
    "host=127.0.0.1;port=1;user=me;password=S3CRET",
    "host=127.0.0.1 port=1 sslmode=require;password=S3CRET",
    "host=postgresql://me:S3CRET@127.0.0.1:1/app",
    "dbname=postgresql://me:S3CRET@127.0.0.1:1/app",
    "Server=127.0.0.1;Port=1;User Id=me;Password=S3CRET;Database=app",
]
UNREACHABLE = [
    "host=127.0.0.1 port=1 user=me password=S3CRET dbname=app",
    "host = '127.0.0.1' port = '1' user = 'me' password = 'S3CRET @%' dbname = 'app'",
    "\n postgresql://me:S3CRET@127.0.0.1:1/app ",
    "postgresql+psycopg://me:S3CRET@127.0.0.1:1/app",
    "postgres://me:S3CRET@127.0.0.1:1/app",
    "PostgreSQL://me:S3CRET@127.0.0.1:1/app",
    "postgresql://me:S3CRET%40%25@127.0.0.1:1/app",
    "postgresql://127.0.0.1:1/app?user=me&password=S3CRET",
]


def said(address: str) -> str:
    """Return what connecting says, with all that hangs on it."""
    with pytest.raises(SettingsError) as caught:
        connect(address)
    error: BaseException | None = caught.value
    told = []
    while error:
        told.append(f"{error} {error!r} {getattr(error, 'object', '')}")
        error = error.__cause__ or error.__context__
    return "\n".join(told)


@pytest.mark.parametrize("address", UNREADABLE)
def test_an_address_that_cannot_be_read_is_not_shown(address: str) -> None:
    sentence = said(address)

    assert "write postgresql://user:password@host:5432/name" in sentence
    assert "S3CRET" not in sentence
    assert "127.0.0.1" not in sentence


@pytest.mark.parametrize("address", UNREACHABLE)
def test_an_address_where_nobody_answers_is_named_without_its_password(address: str) -> None:
    sentence = said(address)

    assert "Postgres at 127.0.0.1:1 (database 'app') cannot be reached:" in sentence
    assert "S3CRET" not in sentence


def test_every_usual_shape_of_an_address_works(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = database_url.partition("://")[2]
    parts = conninfo_to_dict(database_url)
    quoted = quote(str(parts["password"]), safe="")
    shapes = [
        f"  postgresql://{rest}\n",
        f"postgres://{rest}",
        f"postgresql+psycopg://{rest}",
        f"POSTGRESQL+asyncpg://{rest}",
        (
            f"postgresql://{parts['host']}:{parts['port']}/{parts['dbname']}"
            f"?user={parts['user']}&password={quoted}"
        ),
        " ".join(f"{name} = '{value}'" for name, value in parts.items()),
    ]

    reached = []
    for shape in shapes:
        monkeypatch.setenv("BACKFILL_DATABASE_URL", shape)
        settings.cache_clear()
        with connect() as connection:
            reached.append(connection.info.dbname)

    settings.cache_clear()
    assert reached == [urlsplit(database_url).path.lstrip("/")] * len(shapes)


def test_a_server_that_lacks_what_is_used_is_refused_before_anything_is_paid(
    database_url: str,
) -> None:
    assert too_old(130_022) == [
        "Postgres 13 cannot hash a row's values: upgrade the server to 14 or newer."
    ]
    assert too_old(140_000) == []
    with connect(database_url) as connection:
        assert writable(connection) == []
