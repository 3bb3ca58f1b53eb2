"""PgBouncer in transaction mode before the stack's Postgres: each transaction has any session."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psycopg

from deployments.local.part import Part
from deployments.local.postgres import Postgres
from deployments.local.privileges import Account, unprivileged

COMMAND = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
SETTINGS = """
[databases]
app = host=127.0.0.1 port={database} dbname=app user=postgres password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
server_login_retry = 1
"""


@dataclass(frozen=True)
class Bouncer(Part):
    """Serve the database `app` of a Postgres, a session for each transaction."""

    port: int
    postgres: Postgres = field(repr=False)

    name: ClassVar[str] = "pgbouncer"

    @property
    def url(self) -> str:
        return f"postgresql://anyone@127.0.0.1:{self.port}/app"

    def account(self) -> Account | None:
        return unprivileged()

    def prepare(self) -> None:
        super().prepare()
        self._settings.touch(mode=0o600)
        self._settings.write_text(
            SETTINGS.format(
                database=self.postgres.port, password=self.postgres.password, port=self.port
            )
        )
        if account := self.account():
            for place in (self.home, self._settings):
                shutil.chown(place, account.uid, account.gid)

    def command(self) -> list[str]:
        return [str(COMMAND), str(self._settings)]

    def ready(self, since: float) -> bool:  # noqa: ARG002 (a new one has no old answers)
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def _settings(self) -> Path:
        return self.home / "pgbouncer.ini"
