"""Secrets in every setting of whole deployments: nothing that these leave behind holds one."""

import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4, uuid5

import psutil
import psycopg
import pytest
from engine_hand import SPACE, sample_text
from psycopg import sql

from deployments.local import prefect_api
from deployments.local.deployment_run import follow
from deployments.local.emulator.serve import Address
from deployments.local.ports import Ports
from deployments.local.postgres import Postgres, create_database
from deployments.local.stack import PROJECT, Stack
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import statements

HUSH = "hush"
"""Every planted secret begins with it, and one of 32 digits follows."""

OPEN = ("env", "prefect/password", "postgres/password")
"""What `.local` keeps secrets in, for its owner alone."""

Settings = dict[str, str]


def planted(what: str) -> str:
    return f"{HUSH}{what}{uuid4().hex}"


class Watch:
    """Every command line that a process of this machine has had, while it watched."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()

    @contextmanager
    def watching(self) -> Iterator["Watch"]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for process in psutil.process_iter(["cmdline"]):
                self.seen.add(" ".join(process.info["cmdline"] or ()))


class Theirs:
    """What a user brings: a database, a key, an observer, a site file; secrets in all of them."""

    def __init__(self, postgres: Postgres, emulator: Address, place: Path) -> None:
        self.user, self.password = f"user_{uuid4().hex[:8]}", planted("password")
        self.admin, self.port, self.place = postgres.url("postgres"), postgres.port, place
        self.settings: Settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "BACKFILL_DATABASE_URL": self.address(),
            "GEMINI_API_KEY": planted("key"),
            "BACKFILL_GEMINI_URL": emulator.base_url,
            "BACKFILL_OTEL_ENDPOINT": f"http://127.0.0.1:9/{planted('path')}",
            "BACKFILL_OTEL_HEADERS": f"Authorization={planted('header')}",
            "BACKFILL_DATABASE_PATIENCE_SECONDS": "1",
            "BACKFILL_POLL_SECONDS": "0.2",
            "BACKFILL_RECREATE_AFTER_SECONDS": "1",
            "AWS_SECRET_ACCESS_KEY": planted("environment"),
        }

    def address(self, form: str = "postgresql://{login}@{host}/{name}", **parts: object) -> str:
        said = {"user": self.user, "name": self.user, "password": self.password, **parts}
        said = {"host": f"127.0.0.1:{said.get('port', self.port)}", "port": self.port, **said}
        return form.format(login=f"{said['user']}:{said['password']}", **said)

    def make(self) -> None:
        """Make the database, with rows in it."""
        role, password = sql.Identifier(self.user), sql.Literal(self.password)
        with psycopg.connect(self.admin, autocommit=True) as connection:
            create_database(connection, self.user)
            connection.execute(sql.SQL("create role {} login password {}").format(role, password))
            given = sql.SQL("alter database {} owner to {}").format(role, role)
            connection.execute(given)
        passages = statements("demo/passages.sql")
        with psycopg.connect(self.address()) as connection:
            connection.execute(passages["create_tables"])
            rows = [
                {"passage_id": str(uuid5(SPACE, str(n))), "passage_text": sample_text(n)}
                for n in range(6)
            ]
            connection.cursor().executemany(passages["insert_passage"], rows)
        apply_migrations(self.address())

    def mistakes(self) -> list[Settings]:
        """Return settings of which each spoils a run, with secrets of their own."""
        site = self.place / "wrong.toml"
        site.write_text(f'[passage_concepts]\npassword = "{planted("site")}"\n')
        url, key = "BACKFILL_DATABASE_URL", "GEMINI_API_KEY"
        wrong = planted("wrong")
        query = "{host}/{name}?user={user}&password={password}"
        words = "host=127.0.0.1 port={port} user={user} password={password} dbname={name}"
        return [
            {url: self.address(password=wrong)},
            {url: self.address(words, password=wrong, port=9)},
            {url: self.address(f"jdbc:postgresql://{query}", password=wrong)},
            {key: f"invalid-{planted('key')}"},
            {"BACKFILL_SITE_FILE": str(site), "BACKFILL_OTEL_HEADERS": planted("header")},
            {"BACKFILL_POLL_SECONDS": planted("seconds")},
        ]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_secret_of_a_setting_is_nowhere_else_after_runs_that_end_well_and_badly(
    postgres: Postgres, emulator_process: Address, session_dir: Path
) -> None:
    theirs = Theirs(postgres, emulator_process, session_dir / "home")
    theirs.place.mkdir()
    theirs.make()
    stack = Stack(session_dir / "planted", Ports(0, 0, 0), environment=theirs.settings)
    said: list[str] = []

    try:
        with Watch().watching() as watch:
            stack.up()
            good = _run(stack)
            for mistake in theirs.mistakes():
                stack = _with(stack, {**theirs.settings, **mistake})
                state = _run(stack)
                said.append(f"{sorted(mistake)}: {state['name']}: {state['message']}")
            tables = _tables_with(stack.postgres.url("prefect"), _forms(stack))
    finally:
        stack.down()

    assert good["type"] == "COMPLETED", good
    assert all(": Failed: " in each for each in said), said
    assert not [each for each in said if "encountered an exception" in each]
    secrets = _forms(stack)
    found = [each for each in (*watch.seen, *said) if _holds(each.encode(), secrets)]
    found += tables + _tables_with(theirs.address(), secrets)
    for place, left_out in ((stack.home, OPEN), (theirs.place, ("wrong.toml",))):
        found += [
            str(path)
            for path in place.rglob("*")
            if path.is_file() and str(path.relative_to(place)) not in left_out
            if _holds(path.read_bytes(), secrets)
        ]
    git = ["git", "grep", "--untracked", "-lE", f"{HUSH}[a-z]+[0-9a-f]{{32}}"]
    found += subprocess.run(
        git, cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    assert found == []


def _run(stack: Stack) -> dict[str, Any]:
    """Start a run that the worker's own environment serves; return its last state."""
    with prefect_api.client(stack.environment()) as api:
        deployment = api.get("/deployments/name/backfill/full").raise_for_status().json()["id"]
        wanted = {"parameters": {"without_pilot": True, "approve_up_to_usd": 1.0}}
        made = api.post(f"/deployments/{deployment}/create_flow_run", json=wanted)
    return follow(stack.environment(), made.raise_for_status().json()["id"], lambda _: None)


def _with(stack: Stack, settings: Settings) -> Stack:
    """Return the stack with a worker that was started under other settings."""
    stack.kill("worker")
    other = Stack(stack.home.parent, environment=settings)
    other.start("worker")
    return other


def _forms(stack: Stack) -> tuple[bytes, ...]:
    """Return what no secret can be written without."""
    ours = (stack.server.secret, stack.postgres.password)
    word = stack.server.secret.removeprefix("admin:")
    return (HUSH.encode(), word.encode(), ours[1].encode(), b64encode(ours[0].encode()))


def _holds(content: bytes, secrets: tuple[bytes, ...]) -> bool:
    return any(secret in content for secret in secrets)


def _tables_with(url: str, secrets: tuple[bytes, ...]) -> list[str]:
    """Return the rows of a database in which a secret stands, with their tables."""
    found = []
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in names:
            for (row,) in connection.execute(f"select t::text from {name} as t".encode()):
                found += [f"{name}: {row}"] if _holds(str(row).encode(), secrets) else []
    assert names
    return found
