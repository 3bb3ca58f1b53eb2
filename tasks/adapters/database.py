"""Connections to the application's Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from tasks.adapters.settings import settings
from tasks.core.errors import SettingsError

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

_reached: set[str] = set()


def connect(url: str | None = None, *, autocommit: bool = False) -> Connection:
    """Return an open connection with rows as dicts; raise one sentence when there is none.

    A database that this process has reached before may be restarting: it gets
    `database_patience_seconds` to come back. One that was never there is reported at once.
    """
    url = url or settings().require_database_url()
    patience = settings().database_patience_seconds if url in _reached else 0.0
    try:
        connection = _persistent(patience)(_open, url, autocommit=autocommit)
    except psycopg.Error as error:
        raise SettingsError(_unreachable(url, error)) from None
    _reached.add(url)
    return connection


@contextmanager
def transaction(url: str | None = None) -> Iterator[Connection]:
    """Yield a connection whose work is committed at the end, or undone as a whole."""
    with connect(url) as connection:
        yield connection


def _open(url: str, *, autocommit: bool) -> Connection:
    return psycopg.connect(
        url,
        row_factory=dict_row,
        autocommit=autocommit,
        connect_timeout=10,
        application_name="gemini-batch-backfill",
        keepalives_idle=30,
    )


def _persistent(seconds: float) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(psycopg.OperationalError),
        wait=wait_exponential_jitter(initial=0.1, max=5.0),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


def _unreachable(url: str, error: psycopg.Error) -> str:
    """Say where and why, without the password."""
    try:
        parts = urlsplit(url)
        where = f"{parts.hostname or 'the local socket'}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "BACKFILL_DATABASE_URL is not a URL: postgresql://user:password@host:5432/name."
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no answer"
    return (
        f"Postgres at {where} (database '{parts.path.lstrip('/')}') cannot be reached: {reason}."
        " Check that it runs and that BACKFILL_DATABASE_URL is right."
    )
