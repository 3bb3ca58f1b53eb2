"""A user's own copy of the project, brought up by `make up`, and what is typed in it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
from copied_project import PROJECT
from psycopg.rows import dict_row

from deployments.local.stack import Stack

OF_A_USER = (
    *("Makefile", "README.md", "prefect.yaml", "automations.yaml"),
    *("pyproject.toml", "requirements.lock"),
    *("deployments", "docs", "flows", "sql", "tasks"),
)
AT_ONCE = 3
PATIENCE_SECONDS = 180.0


class Said(NamedTuple):
    """What a command came to: its exit code, and all that it printed."""

    code: int
    words: str


@dataclass
class Day:
    """The copy, and the shell in it. It knows no setting but what `.local/env` has."""

    place: Path
    up: str = ""

    def types(self, command: str, *, joined: bool = True) -> Said:
        """Return what a command says, typed after `source .local/env` or before."""
        with self.typed(command, joined=joined) as process:
            words, _ = process.communicate()
        return Said(process.returncode, words)

    @contextmanager
    def typed(self, command: str, *, joined: bool = True) -> Iterator["subprocess.Popen[str]"]:
        """Yield the process of a command that goes on while other things are typed."""
        script = f"source .local/env && {command}" if joined else command
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # An installed copy finds its own modules; this one has only borrowed its .venv.
        environment |= {"PYTHONPATH": str(self.place), "COLUMNS": "250"}
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            yield process

    def does(self, command: str, *, joined: bool = True) -> str:
        """Return what a command says that has to succeed."""
        code, words = self.types(command, joined=joined)
        assert code == 0, words
        return words

    def follows(self, what: str, **fields: object) -> str:
        """Return what the terminal shows of a run that completes."""
        return self.does(run_of(what, **fields))

    def follows_all(self, *wanted: tuple[str, dict[str, Any]]) -> list[str]:
        """Return what the terminals show of several runs, some of them at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda each: self.follows(each[0], **each[1]), wanted))

    @property
    def stack(self) -> Stack:
        return Stack(self.place, project=self.place, environment={})

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Return what a statement of the user's own finds in the database."""
        with psycopg.connect(self.stack.postgres.url("app"), row_factory=dict_row) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def jobs_take(self, seconds: float) -> None:
        """Let batch jobs take so long from now on; those that fly end at once if it is not long."""
        with httpx.Client(base_url=f"{self.stack.emulator.url}/_emulator", trust_env=False) as http:
            http.post("/settings", json={"run_seconds": seconds}).raise_for_status()
            if seconds < 1:
                http.post("/clock", json={"advance_seconds": 3600}).raise_for_status()

    def until(self, holds: Callable[[], Any], within: float = PATIENCE_SECONDS) -> float:
        """Return after how many seconds it held."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < within, "it never came to that"
            time.sleep(0.1)
        return time.monotonic() - began

    def in_flight(self, name: str) -> int:
        """Return how many jobs of a backfill are at the service."""
        flying = "select 1 from backfill.slices where state = 'submitted' and backfill = "
        return len(self.sql(f"{flying}'{name}'"))

    def jobs(self) -> int:
        """Return how many jobs were ever made."""
        return len(self.sql("select 1 from backfill.slices where job_name is not null"))


def run_of(what: str, **fields: object) -> str:
    """Return the command that starts a deployment and follows its run."""
    given = "".join(f" --param {name}='{value}'" for name, value in fields.items())
    return f"python -m deployments.run {what}{given}"


def flow_run(words: str) -> str:
    """Return the id of the run that a terminal follows."""
    [found, *_] = re.findall(r"^Run ([0-9a-f-]{36}): http", words, re.MULTILINE)
    return str(found)


def dollars(words: str) -> float:
    """Return what a run's last sentence says that it cost."""
    [*_, found] = re.findall(r"; ([0-9.]+) USD; ", words)
    return float(found)


def copied(place: Path) -> Day:
    """Return a copy of the project, with the .venv that runs this."""
    place.mkdir()
    for name in OF_A_USER:
        whole = PROJECT / name
        if whole.is_dir():
            shutil.copytree(whole, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(whole, place / name)
    (place / ".venv").symlink_to(sys.prefix)
    return Day(place)
