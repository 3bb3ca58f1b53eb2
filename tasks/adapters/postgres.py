"""The application's Postgres: connections, and the statements under sql/."""

import codecs
import re
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, NamedTuple, cast

import psycopg
from psycopg.rows import dict_row
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from tasks.adapters import database_address
from tasks.adapters.idle import Idle
from tasks.adapters.settings import settings
from tasks.core.errors import (
    BackfillError,
    DatabaseBusyError,
    LeaseLostError,
    SettingsError,
)

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

SQL_ROOT = Path(__file__).resolve().parents[2] / "sql"
_HEADING = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)
_reached: set[str] = set()
OLDEST = 14  # the first with hash_record_extended
LOCK_SECONDS = 60
"""For how long a statement waits for somebody else's lock."""


class Fence(NamedTuple):
    """A lease under which something is done, and the epoch in which it is ours."""

    name: str
    epoch: str


fences: ContextVar[tuple[Fence, ...]] = ContextVar("fences", default=())
"""What every transaction begun here names, so that it fails once somebody else took over."""


@cache
def statements(path: str) -> dict[str, LiteralString]:
    """Return the statements of one file under sql/ by their `-- name:` headings."""
    pieces = _HEADING.split((SQL_ROOT / path).read_text(encoding="utf-8"))
    # The files are part of this repository, as safe as if the statements stood in the code.
    return {
        name: cast("LiteralString", statement.strip().rstrip(";"))
        for name, statement in zip(pieces[1::2], pieces[2::2], strict=True)
    }


_CONNECTIONS = statements("queries/connections.sql")


class _Connection(psycopg.Connection[Row]):
    """A connection whose end says in one sentence what is no statement's own fault.

    Attributes:
        url: where it leads, if it leaves nothing behind in its session and may be used again.
        idle_since: when its last use ended, by the monotonic clock.
    """

    url = ""
    idle_since = 0.0

    def close(self) -> None:
        """Let this process's next use have the session: a new one costs more than most uses."""
        if self.url and self.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            idle.give(self)
        else:
            super().close()

    def end(self) -> None:
        """Close it for good."""
        super().close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        said = self._outside_cause(exc_val)
        super().__exit__(exc_type, exc_val, exc_tb)
        if said is not None:
            raise said from exc_val

    def _outside_cause(self, error: BaseException | None) -> BackfillError | None:
        if isinstance(error, psycopg.errors.LockNotAvailable):
            self.rollback()
            found = self.execute(_CONNECTIONS["who_holds_locks"], {"seconds": LOCK_SECONDS // 2})
            return DatabaseBusyError(_busy(found.fetchall()))
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return SettingsError(read_only(self.info.dbname, self.info.user))
        return None


idle = Idle[_Connection]()


def read_only(database: str, role: str) -> str:
    """Return the sentence of a database that lets nothing be written."""
    return (
        f"Database '{database}' is read-only for user '{role}', and answers are written to it:"
        f" point BACKFILL_DATABASE_URL at the primary server, or `alter role {role} set"
        " default_transaction_read_only = off;` (and the database likewise)."
    )


def _busy(holders: list[Row]) -> str:
    """Return the sentence of a lock that was waited for in vain, with who may hold it."""
    named = "; ".join(
        f"process {row['pid']} ({row['application']}, user {row['role']}, {row['state']}) has held"
        f" {row['tables']} for {row['seconds']:,} s"
        for row in holders
    )
    remedy = (
        f": end what it does, or `select pg_terminate_backend({holders[0]['pid']});`, and"
        if (holders)
        else ": end what somebody does there, and"
    )
    return (
        f"A lock was waited for in vain for {LOCK_SECONDS} s; {named or 'it is free by now'}"
        f"{remedy} run again; nothing is lost."
    )


def connect(url: str | None = None, *, fenced: bool = True) -> Connection:
    """Return an open connection with rows as dicts; raise one sentence when there is none.

    Its first transaction has our own limits, whatever the role or the database sets. Unless told
    otherwise it is fenced: it raises LeaseLostError where a lease of this context is ours no more,
    and keeps others from taking them over until it ends.

    A database that this process has reached before may be restarting: it gets
    `database_patience_seconds` to come back. One that was never there is reported at once.
    """
    url = database_address.clean(url or settings().require_database_url())
    connection = _used(url) or _new(url)
    return _fenced(connection) if fenced else connection


def _new(url: str) -> _Connection:
    # What is done under a lease is done in a database that its holder has reached.
    is_known = url in _reached or bool(fences.get())
    patience = settings().database_patience_seconds if is_known else 0.0
    try:
        connection = _persistent(patience)(_open, url)
    except psycopg.Error as error:
        raise SettingsError(_unreachable(url, error)) from None
    _reached.add(url)
    return connection


def _used(url: str) -> _Connection | None:
    """Return a session that was used before, if one is idle and still there."""
    while found := idle.take(url):
        # The statement that every use begins with shows whether it is.
        with suppress(psycopg.Error):
            return _limited(found)
        found.end()
    return None


def _limited(connection: _Connection) -> _Connection:
    connection.execute(_CONNECTIONS["own_limits"], {"lock_timeout": f"{LOCK_SECONDS}s"})
    return connection


def _fenced(connection: _Connection) -> _Connection:
    """Return it with the leases of this context named; raise where one of them was lost."""
    if not (held := fences.get()):
        return connection
    epochs = [fence.epoch for fence in held]
    values = {"epochs": epochs, "application": f"backfill {' '.join(epochs)}"}
    found = {row["epoch"] for row in connection.execute(_CONNECTIONS["fence"], values)}
    if lost := [fence for fence in held if fence.epoch not in found]:
        names = {"names": [fence.name for fence in lost]}
        holders = connection.execute(_CONNECTIONS["holders"], names).fetchall()
        connection.close()
        raise LeaseLostError(_lost(lost[0], [row["holder"] for row in holders]))
    return connection


def _lost(fence: Fence, holders: list[str]) -> str:
    by = f"{holders[0]} has taken it over" if holders else "somebody took it over, and has ended"
    return (
        f"This process stood still for longer than its lease on '{fence.name}', and {by}: it stops"
        " here, and changed nothing since. Nothing is lost; run again if nobody is at work."
    )


def storable(connection: Connection, text: str) -> str:
    """Return a text for people with ? for what this database's encoding does not have."""
    name = connection.info.parameter_status("server_encoding") or "UTF8"
    clean = text.replace("\x00", "")
    codec = _codec(name)
    return clean.encode(codec, "replace").decode(codec)


@cache
def _codec(encoding: str) -> str:
    """Return Python's name of an encoding of Postgres's; plain ASCII is in all of them."""
    for name in (encoding, encoding.replace("WIN", "cp"), encoding.replace("KOI8", "koi8_")):
        with suppress(LookupError):
            return codecs.lookup(name).name
    return "ascii"


def writable(connection: Connection) -> list[str]:
    """Return why nothing can be written to this database, in a sentence each."""
    found = connection.execute(_CONNECTIONS["may_write"]).fetchone() or {}
    database, said = found["database"], too_old(connection.info.server_version)
    if found["is_read_only"] or found["is_standby"]:
        said.append(read_only(database, found["role"]))
    if found["encoding"] == "SQL_ASCII":
        said.append(
            f"Database '{database}' is SQL_ASCII and does not know which letters its bytes mean:"
            " make one with `createdb -E UTF8 -T template0`, copy yours into it with pg_dump -E and"
            " psql, and point BACKFILL_DATABASE_URL at it."
        )
    return said


def too_old(version: int) -> list[str]:
    """Return what to do about a server of this number; nothing where it has what is used here."""
    if version >= OLDEST * 10_000:
        return []
    has = version // 10_000
    return [f"Postgres {has} cannot hash a row's values: upgrade the server to {OLDEST} or newer."]


def _open(url: str) -> _Connection:
    connection = _Connection.connect(
        url,
        row_factory=dict_row,
        prepare_threshold=None,  # a pooler may give every transaction another session
        client_encoding="utf8",
        connect_timeout=10,
        application_name="gemini-batch-backfill",
        keepalives_idle=30,
    )
    connection.url = url  # nothing is left behind in its session: it may be used again
    return _limited(connection)


def _persistent(seconds: float) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(psycopg.OperationalError),
        wait=wait_exponential_jitter(initial=0.1, max=5.0),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


def _unreachable(url: str, error: psycopg.Error) -> str:
    """Say where and why, without the password."""
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no answer"
    return (
        f"Postgres at {database_address.place(url)} cannot be reached: {reason}."
        " Check that it runs and that BACKFILL_DATABASE_URL is right."
    )
