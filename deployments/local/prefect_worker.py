"""The process worker: it starts a process for each run of a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import httpx

from deployments.local import prefect_api
from deployments.local.part import Part, module

POOL = "backfills"


@dataclass(frozen=True)
class PrefectWorker(Part):
    """Serve the work pool `backfills`."""

    access: Mapping[str, str] = field(repr=False)  # the settings of a client of Prefect's

    name: ClassVar[str] = "worker"

    def prepare(self) -> None:
        """Make the work pool if it is missing: the worker would, but deploying need not wait."""
        from prefect.workers.process import ProcessWorker  # a second that only `up` should wait

        super().prepare()
        pool = {
            "name": POOL,
            "type": ProcessWorker.type,
            "base_job_template": ProcessWorker.get_default_base_job_template(),
        }
        answer = self._post("/work_pools/", pool)
        if answer.status_code != httpx.codes.CONFLICT:
            answer.raise_for_status()

    def command(self) -> list[str]:
        """Return the worker's command line."""
        options = ("--pool", POOL, "--type", "process", "--name", "local")
        return module("prefect", "worker", "start", *options, "--install-policy", "never")

    def ready(self, since: float) -> bool:
        """Return whether the pool has heard from this worker, not only from the one before."""
        try:
            answer = self._post(f"/work_pools/{POOL}/workers/filter", {})
        except httpx.TransportError:
            return False
        return answer.is_success and any(_seen(worker) >= since for worker in answer.json())

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with prefect_api.client(self.access) as api:
            return api.post(path, json=body)


def _seen(worker: dict[str, str]) -> float:
    return datetime.fromisoformat(worker["last_heartbeat_time"]).timestamp()
