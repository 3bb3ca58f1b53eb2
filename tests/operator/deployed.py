"""Deployment runs as a person starts them, each on a database of its own, on one stack."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4, uuid5

import httpx
import psycopg
from engine_hand import SPACE, sample_text
from psycopg import sql
from psycopg.rows import dict_row

from deployments.local import prefect_api
from deployments.local.postgres import create_database
from deployments.local.stack import Stack
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import statements

ENDED = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
PATIENCE_SECONDS = 120
Json = dict[str, Any]


@dataclass
class Deployed:
    """A stack's deployments, run against one database."""

    stack: Stack
    database_url: str
    api: httpx.Client
    extra: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, **parameters: object) -> str:
        """Start a deployment; return the flow run's id."""
        deployment = self.api.get(f"/deployments/name/{name}").raise_for_status().json()["id"]
        env = {"BACKFILL_DATABASE_URL": self.database_url, **self.extra}
        body = {"parameters": parameters, "job_variables": {"env": env}}
        made = self.api.post(f"/deployments/{deployment}/create_flow_run", json=body)
        return str(made.raise_for_status().json()["id"])

    def state(self, run: str) -> Json:
        state: Json = self.api.get(f"/flow_runs/{run}").raise_for_status().json()["state"]
        return state

    def end(self, run: str) -> Json:
        """Return the state in which a run ended."""
        return self._until(run, lambda state: state["type"] in ENDED)

    def suspended(self, run: str, after: Json | None = None) -> Json:
        """Return the state of a run that waits for a person (again, `after` it did)."""
        before = after["id"] if after else ""
        return self._until(
            run,
            lambda state: (
                (state["name"] == "Suspended" and state["id"] != before) or state["type"] in ENDED
            ),
        )

    def run(self, name: str, **parameters: object) -> Json:
        return self.end(self.start(name, **parameters))

    def retry(self, run: str) -> None:
        """Do what the UI's Retry does."""
        body = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
        self.api.post(f"/flow_runs/{run}/set_state", json=body).raise_for_status()

    def form(self, run: str) -> Json:
        """Return the stored form of a suspended run."""
        key = self.state(run)["state_details"]["run_input_keyset"]["schema"]
        found = self.api.post(f"/flow_runs/{run}/input/filter", json={"prefix": key})
        [form] = found.raise_for_status().json()
        return dict(form)

    def answer(self, run: str, **form: object) -> None:
        """Fill in the form of a suspended run, as the UI does."""
        reply = self.api.post(f"/flow_runs/{run}/resume", json={"run_input": form})
        assert reply.raise_for_status().json()["status"] == "ACCEPT", reply.text

    def artifact(self, key: str) -> str:
        """Return an artifact's contents, the latest of its key."""
        found = self.api.get(f"/artifacts/{key}/latest").raise_for_status().json()
        return str(found["data"])

    def sql(self, statement: str, **values: object) -> list[Json]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def load(self, passages: int) -> None:
        """Store so many passages."""
        statement = statements("demo/passages.sql")["insert_passage"]
        with psycopg.connect(self.database_url) as connection:
            rows = [
                # The emulator's troubles follow the id: the same rows fare the same every time.
                {"passage_id": str(uuid5(SPACE, str(number))), "passage_text": sample_text(number)}
                for number in range(passages)
            ]
            connection.cursor().executemany(statement, rows)

    def _until(self, run: str, holds: Any) -> Json:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            state = self.state(run)
            if holds(state):
                return state
            time.sleep(0.2)
        raise TimeoutError(f"{run}: {self.state(run)}")


@contextmanager
def deployed(stack: Stack) -> Iterator[Deployed]:
    """Yield the stack's deployments over a fresh database with the user's tables, empty."""
    name = f"operator_{uuid4().hex[:12]}"
    address = stack.postgres.url(name)
    admin = stack.postgres.url("postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        create_database(connection, name)
    with psycopg.connect(address) as connection:
        connection.execute(statements("demo/passages.sql")["create_tables"])
    apply_migrations(address)
    with prefect_api.client(stack.environment()) as api:
        yield Deployed(stack, address, api)
    with psycopg.connect(admin, autocommit=True) as connection:
        drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
        connection.execute(drop)
