"""Start a deployment as a person does, and show what the run logs while it works."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from deployments.local import prefect_api
from deployments.local.errors import StackError

TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INFO = 20
_NOISE = "Finished in state Completed()"  # one for each task


def start(name: str, environment: Mapping[str, str], *options: str) -> str:
    """Run `prefect deployment run NAME`; return the flow run's id."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "deployment", "run", name, *options],
        env={**os.environ, **environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = _UUID.search(done.stdout)
    if done.returncode or not found:
        raise StackError(f"`prefect deployment run {name}` failed:\n{done.stdout}{done.stderr}")
    return found[0]


def follow(
    environment: Mapping[str, str], flow_run_id: str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Pass on the run's log lines until it has ended; return its last state."""
    with prefect_api.client(environment) as client:
        shown = 0
        while True:
            state: dict[str, Any] = client.get(f"/flow_runs/{flow_run_id}").json()["state"] or {}
            for line in _lines(client, flow_run_id, shown):
                shown += 1
                if not line.endswith(_NOISE):
                    say(line)
            if state.get("type") in TERMINAL or state.get("name") == "Suspended":
                return state
            time.sleep(0.5)


def _lines(client: httpx.Client, flow_run_id: str, offset: int) -> Iterator[str]:
    wanted = {
        "logs": {"flow_run_id": {"any_": [flow_run_id]}, "level": {"ge_": _INFO}},
        "sort": "TIMESTAMP_ASC",
        "offset": offset,
    }
    for line in client.post("/logs/filter", json=wanted).json():
        yield f"{line['timestamp'][11:19]}  {line['message']}"
