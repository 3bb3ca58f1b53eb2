"""Drive deployments on a whole stack, and look at what they left behind."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import psutil

from deployments.local.deployment_run import follow, start
from deployments.local.sample_passages import passages
from deployments.local.stack import Stack
from tasks.adapters.postgres import Connection, connect, statements

SQL = statements("demo/passages.sql")
ROWS = """
select passage_id, concept_name, concept_type, aliases, confidence, extractor_model, evidence::text
from passage_concepts where extractor_version = 'gemini_batch_v1' order by 1, 2
"""
WIPE = """
truncate backfill.generations, backfill.slices, backfill.runs, backfill.versions,
    backfill.answer_blocks, backfill.projections, backfill.restores cascade;
delete from passage_concepts where extractor_version = 'gemini_batch_v1';
delete from kb_migrations;
"""


class Driver:
    """One stack with `size` passages, legacy rows among them."""

    def __init__(self, stack: Stack, size: int) -> None:
        self.stack = stack
        self.environment = stack.environment()
        self.emulator = httpx.Client(
            base_url=f"{self.environment['BACKFILL_GEMINI_URL']}/_emulator", trust_env=False
        )
        with self.database() as connection:
            connection.execute(SQL["create_tables"])
            rows = [{"passage_id": key, "passage_text": text} for key, text in passages(size)]
            connection.cursor().executemany(SQL["insert_passage"], rows)
            connection.execute(SQL["plant_legacy_rows"], {})

    @contextmanager
    def database(self) -> Iterator[Connection]:
        with connect(self.environment["BACKFILL_DATABASE_URL"]) as connection:
            yield connection

    def wipe(self) -> None:
        """Forget every answer, here and at the emulator."""
        with self.database() as connection:
            connection.execute(WIPE)
        self.emulator.post("/reset").raise_for_status()

    def start(self, deployment: str, **parameters: object) -> str:
        options = [
            part
            for name, value in parameters.items()
            for part in ("--param", f"{name}={json.dumps(value)}")
        ]
        return start(deployment, self.environment, *options)

    def follow(self, flow_run_id: str) -> tuple[dict[str, Any], list[str]]:
        """Return the run's last state and what it logged."""
        lines: list[str] = []
        return follow(self.environment, flow_run_id, lines.append), lines

    def run(self, deployment: str, **parameters: object) -> tuple[dict[str, Any], list[str]]:
        return self.follow(self.start(deployment, **parameters))

    def wait_for_event(self, kind: str, after: int = 0, seconds: float = 60) -> int:
        """Return the number of the first such event of the emulator."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            query = {"after": after, "wait_seconds": 2}
            for event in self.emulator.get("/events", params=query, timeout=10).json()["events"]:
                after = event["seq"]
                if event["kind"] == kind:
                    return after
        message = f"The emulator announced no {kind}."
        raise TimeoutError(message)

    def kill_flow(self) -> None:
        """Kill -9 the flow process that the worker started."""
        worker = psutil.Process(self.stack.pid("worker"))
        flows = [each for each in worker.children(recursive=True) if _is_flow(each)]
        for process in flows:
            process.kill()
        assert flows, "no flow process was found"

    def rows(self) -> list[dict[str, Any]]:
        with self.database() as connection:
            return connection.execute(ROWS).fetchall()

    def legacy(self) -> object:
        with self.database() as connection:
            return connection.execute(SQL["legacy_checksum"]).fetchone()

    def one(self, statement: str) -> dict[str, Any]:
        with self.database() as connection:
            row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row

    def paid_twice(self) -> dict[UUID, int]:
        keys: dict[UUID, int] = self.emulator.get("/keys", params={"min": 2}).json()["keys"]
        return keys


def _is_flow(process: psutil.Process) -> bool:
    try:
        return any("prefect.engine" in part or "execute" in part for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False
