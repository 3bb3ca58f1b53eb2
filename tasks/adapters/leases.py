"""Leases: the right to act on a run or a slice, until a time by the database's clock.

A lease is a row with an epoch, renewed by a thread of the holder's. Every transaction that is begun
under a lease names its epoch (`postgres.connect`): after a takeover the former holder's fail. No
session holds anything, so that a pooler, a restart or a lost machine changes nothing.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg

from tasks.adapters.outage import outlasting
from tasks.adapters.postgres import Fence, Row, connect, fences, statements
from tasks.adapters.settings import settings
from tasks.core.errors import BackfillError

RENEWALS = 6
"""A lease is renewed so often within its length: one that was not is about to end."""

OWN_SECONDS = 30.0
"""How much longer than a lease an earlier process of the same holder is waited for."""

_LOOK_SECONDS = 0.5
_SECONDS_TO_COMMIT = 5
_BEGAN = 19  # proc(5): field 22, of which the first two are cut off
_STOPPED, _DEAD = ("T", "t"), ("Z", "X")

_SQL = statements("queries/leases.sql")


class Lease(NamedTuple):
    """A lease that is ours, for as long as its epoch stands."""

    name: str
    epoch: str


class Other(NamedTuple):
    """Who holds a lease: since when it has not been renewed, and whether it is certain to live."""

    holder: str
    until: object
    is_alive: bool


@contextmanager
def held(
    kind: str, key: str, *, holder: str = "", patience: float = 0.0, alone: bool = False
) -> Iterator[str | None]:
    """Yield None when the lease is ours until the block ends, else the name of its holder.

    A holder that nobody can be sure of is waited for until it renews its lease, or the lease ends;
    an earlier process of the same holder longer, and every holder for `patience` seconds. With
    `alone` nobody may be at work on a slice of the backfill `key` either.
    """
    lease = _wait(f"{kind} {key}", holder or here(), patience)
    if isinstance(lease, Other):
        yield lease.holder
        return
    with _ours(lease):
        yield _at_a_slice(key) if alone else None


def begin(slice_id: str) -> Lease | str | None:
    """Return the lease of a slice, to be used with `working`, or who holds it.

    None where the ledger has no leases yet.
    """
    lease = _take(f"slice {slice_id}", here())
    return lease.holder if isinstance(lease, Other) else lease


@contextmanager
def working(lease: Lease | None) -> Iterator[None]:
    """Renew the lease during the block, and name it in all transactions begun there."""
    if lease is None:
        yield
        return
    with _ours(lease):
        yield


def holder_of(kind: str, name: str) -> str | None:
    """Return who works on a slice, or a run of a backfill; None when nobody does."""
    with connect() as connection:
        found = connection.execute(_SQL["look"], {"name": f"{kind} {name}"}).fetchone()
    return str(found["holder"]) if found and found["is_live"] and not _is_gone(found) else None


def here() -> str:
    """Return the name of this process, for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@contextmanager
def _ours(lease: Lease | None) -> Iterator[None]:
    if lease is None:
        yield
        return
    _renewing.add(lease)
    token = fences.set((*fences.get(), Fence(lease.name, lease.epoch)))
    try:
        yield
    finally:
        fences.reset(token)
        _renewing.remove(lease)
        # One that was lost is not ours to delete, and one that cannot be deleted ends by itself.
        with suppress(psycopg.Error, BackfillError), connect() as connection:
            connection.execute(_SQL["let_go"], lease._asdict())


@outlasting
def _wait(name: str, holder: str, patience: float) -> Lease | Other | None:
    """Return the lease, or who holds it once that is certain to live, or nobody waits longer."""
    began = time.monotonic()
    seen: Other | None = None
    while isinstance(found := _take(name, holder), Other):
        seen = seen or found
        waited = time.monotonic() - began
        is_own = found.holder == holder and waited < settings().lease_seconds + OWN_SECONDS
        may_be_gone = not found.is_alive and found.until == seen.until
        if not (is_own or may_be_gone or waited < patience):
            break
        time.sleep(_LOOK_SECONDS)
    return found


def _take(name: str, holder: str) -> Lease | Other | None:
    """Return the lease, or who holds it; None where the ledger has no leases yet."""
    mine = {
        "name": name,
        "holder": holder,
        "epoch": secrets.token_hex(8),
        "machine": _machine(),
        "process_id": os.getpid(),
        "process_began": _began(os.getpid()),
        "seconds": settings().lease_seconds,
    }
    lease = Lease(name, str(mine["epoch"]))
    with connect(fenced=False) as connection:
        if not (connection.execute(_SQL["is_there"]).fetchone() or {}).get("may_use"):
            return None  # preflight says what is missing
        if connection.execute(_SQL["take_new"], mine).fetchone():
            return lease
        found = connection.execute(_SQL["look"], mine).fetchone()
    if found is None:
        return _take(name, holder)  # it was just let go
    if found["is_live"] and not _is_gone(found):
        return Other(str(found["holder"]), found["until"], _is_at_work(found))
    old = {"old": found["epoch"], "ended": found["until"]}
    return lease if _take_over({**mine, **old}) else _take(name, holder)


def _take_over(values: Mapping[str, object]) -> bool:
    """Return whether the lease of a holder that is gone is ours; wait for what it has begun.

    One that only stood still may go on meanwhile: once it has renewed its lease it keeps it.
    """
    for _ in range(2):
        with connect(fenced=False) as connection:
            connection.execute(_SQL["wait_shortly"], {"wait": f"{_SECONDS_TO_COMMIT}s"})
            with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
                connection.execute(_SQL["lock"], values)
                return connection.execute(_SQL["take_over"], values).fetchone() is not None
            connection.execute(_SQL["end_transactions"], values)
    return False


def _at_a_slice(backfill: str) -> str | None:
    """Return who is at work on a slice of the backfill, once it is certain that somebody is."""
    deadline = time.monotonic() + settings().lease_seconds
    while True:
        with connect() as connection:
            rows = connection.execute(_SQL["slices_at_work"], {"backfill": backfill}).fetchall()
        live = [row for row in rows if not _is_gone(row)]
        if not live or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return f"{live[0]['name']}, by {live[0]['holder']}" if live else None


def _is_gone(row: Row) -> bool:
    """Return whether the holder was a process of this machine, and is no more."""
    if row["machine"] is None or row["machine"] != _machine():
        return False
    return _began(int(row["process_id"])) != str(row["process_began"])


def _is_at_work(row: Row) -> bool:
    """Return whether the holder is certain to live: a process of this machine, and not frozen."""
    if row["machine"] is None or row["machine"] != _machine():
        return False
    fields = _stat(row["process_id"])
    return bool(fields) and fields[0] not in (*_STOPPED, *_DEAD)


@cache
def _machine() -> str | None:
    """Return what tells this boot of this machine, and its process ids, from all others."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _began(process_id: int) -> str | None:
    """Return when a process began, in the kernel's ticks; None where there is no such process."""
    fields = _stat(process_id)
    return fields[_BEGAN] if fields and fields[0] not in _DEAD else None


def _stat(process_id: int) -> list[str]:
    """Return the fields of a process after its name, the first of them its state."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


class _Renewing:
    """Renews this process's leases in a thread of its own, whatever else the process does."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._leases: set[Lease] = set()
        self._idle = threading.Event()

    def add(self, lease: Lease) -> None:
        with self._guard:
            if not self._leases:
                self._idle = threading.Event()
                threading.Thread(target=self._keep, args=(self._idle,), daemon=True).start()
            self._leases.add(lease)

    def remove(self, lease: Lease) -> None:
        with self._guard:
            self._leases.discard(lease)
            if not self._leases:
                self._idle.set()

    def _keep(self, idle: threading.Event) -> None:
        while not idle.wait(settings().lease_seconds / RENEWALS):
            with suppress(psycopg.Error, BackfillError):
                self.renew()

    def renew(self) -> None:
        """Renew them all; those that were lost are not there to be renewed."""
        with self._guard:
            epochs = [lease.epoch for lease in self._leases]
        values = {"epochs": epochs, "seconds": settings().lease_seconds}
        with connect(fenced=False) as connection:
            connection.execute(_SQL["renew"], values)


_renewing = _Renewing()
