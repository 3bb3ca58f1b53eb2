"""The process worker: it starts a process for each run of a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import httpx

from deployments.local.part import Part, module

POOL = "backfills"


@dataclass(frozen=True)
class PrefectWorker(Part):
    """Serve the work pool `backfills`, made here when it is missing."""

    api_url: str
    headers: Mapping[str, str]

    name: ClassVar[str] = "worker"

    def command(self) -> list[str]:
        """Return the worker's command line."""
        options = ("--pool", POOL, "--type", "process", "--name", "local")
        return module("prefect", "worker", "start", *options, "--install-policy", "never")

    def ready(self, since: float) -> bool:
        """Return whether the pool has heard from this worker, not only from the one before."""
        try:
            answer = httpx.post(
                f"{self.api_url}/work_pools/{POOL}/workers/filter",
                json={},
                headers=dict(self.headers),
                timeout=5,
            )
        except httpx.TransportError:
            return False
        return answer.is_success and any(_seen(worker) >= since for worker in answer.json())


def _seen(worker: dict[str, str]) -> float:
    return datetime.fromisoformat(worker["last_heartbeat_time"]).timestamp()
