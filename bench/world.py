"""An embedded stack of its own, with passages in it, and one backfill run over them."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import psycopg

from deployments.local import prefect_api
from deployments.local.ports import Ports
from deployments.local.sample_passages import passages
from deployments.local.stack import Stack
from tasks.adapters.postgres import statements

Json = dict[str, Any]
DEMO = statements("demo/passages.sql")
COPY = """
copy passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)
from stdin with (format binary)
"""
OWN = ("BACKFILL_DATABASE_URL", "PREFECT_API_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY")
PAGE = 200
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Yield a stack on free ports whose emulator answers at once and well; it is gone after."""
    place = Path(tempfile.mkdtemp(prefix="bench-stack-"))
    place.chmod(0o711)
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    stack = Stack(place, Ports(0, 0, 0), environment=environment, say=lambda _: None)
    try:
        stack.up()
        settings = {"run_seconds": 0.0, "trouble": 0.0}
        httpx.post(f"{stack.emulator.url}/_emulator/settings", json=settings).raise_for_status()
        yield stack
    finally:
        stack.down()
        stack.remove()
        shutil.rmtree(place)


def distinct_passages(rows: int) -> Iterator[tuple[UUID, str]]:
    """Yield real paragraphs again and again, each time as another edition of itself."""
    real = [text for _, text in passages(rows)]
    editions = (f"Edition {number}. {text}" for number in count(1) for text in real)
    for text in islice(editions, rows):
        yield uuid5(NAMESPACE_URL, text), text


def load(database_url: str, rows: int) -> None:
    """Make the user's tables and fill them."""
    with psycopg.connect(database_url) as connection:
        connection.execute(DEMO["create_tables"])
        with connection.cursor().copy(COPY) as copy:
            copy.set_types(["uuid", "uuid", "int4", "int4", "text"])
            for key, text in distinct_passages(rows):
                copy.write_row((key, key, 0, len(text), text))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("vacuum analyze passages")


def backfill(stack: Stack, slice_size: int, **more: object) -> Json:
    """Run the deployment `backfill/full` to its end; return the flow run, times as datetimes."""
    with prefect_api.client(stack.environment()) as http:
        deployment = http.get("/deployments/name/backfill/full").raise_for_status().json()
        parameters = {
            "name": "passage_concepts",
            "kind": "full",
            "approve_up_to_usd": 100_000.0,
            "without_pilot": True,
            "slice_size": slice_size,
            **more,
        }
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        made = http.post(f"/deployments/{deployment['id']}/create_flow_run", json=body)
        path = f"/flow_runs/{made.raise_for_status().json()['id']}"
        while (run := http.get(path).json())["state"]["type"] not in ENDED:
            time.sleep(0.5)
    if run["state"]["type"] != "COMPLETED":
        raise RuntimeError(f"The run ended as {run['state']['name']}: {run['state']['message']}")
    return dict(run)


def seconds_between(first: str, last: str) -> float:
    """Return the seconds from one of Prefect's times to another."""
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def stages(stack: Stack) -> dict[str, tuple[int, float]]:
    """Return how many task runs of each kind there were, and their seconds in all."""
    runs, before = list[Json](), -1
    while len(runs) != before:  # the server writes them down some time after they have ended
        before = len(runs)
        time.sleep(3)
        runs = list(_task_runs(stack))
    found: dict[str, tuple[int, float]] = {}
    for run in runs:
        kind = run["name"].split()[0].split("-")[0]
        times, seconds = found.get(kind, (0, 0.0))
        found[kind] = (times + 1, seconds + float(run["total_run_time"]))
    return found


def _task_runs(stack: Stack) -> Iterator[Json]:
    with prefect_api.client(stack.environment()) as api:
        for offset in count(0, PAGE):
            body = {"offset": offset, "limit": PAGE, "sort": "ID_DESC"}
            page = api.post("/task_runs/filter", json=body).json()
            yield from page
            if len(page) < PAGE:
                return
