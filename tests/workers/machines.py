"""Workers that share a pool and a database, but neither a directory nor anything in one."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from chaos_world import QUICK, World

from deployments.local.processes import MARK, marked, stop

POOL = "machines"
DEPLOYMENT = "backfill-slice/machines"
PART = "machine"
START = f"worker start --pool {POOL} --type process --limit 2 --install-policy never".split()


class Machines:
    """Process workers, each in a home of its own; each can be killed with all that it started."""

    def __init__(self, world: World, root: Path) -> None:
        self._world = world
        self._root = root
        self._homes: dict[str, Path] = {}
        self._offer_slices()

    def start(self, name: str) -> None:
        """Start a worker that finds nothing of what another one left."""
        home = self._root / name
        home.mkdir()
        self._homes[name] = home
        with (home / "log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "prefect", *START, "--name", name],
                cwd=home,
                env=self._environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> int:
        """Kill -9 a worker and its flows, as when a machine goes dark; return how many."""
        processes = marked(self._homes[name], PART)
        stop(processes, signal.SIGKILL, 5)
        return len(processes)

    def stop(self) -> None:
        """Kill what is left."""
        for name in self._homes:
            self.kill(name)

    def at_work(self, name: str) -> int:
        """Return how many processes a machine runs, its worker among them."""
        return len(marked(self._homes[name], PART))

    def _environment(self, home: Path) -> dict[str, str]:
        return {
            **self._world.environment,
            **QUICK,
            "BACKFILL_WORK_DIR": str(home / "work"),
            "BACKFILL_REPORTS_DIR": str(home / "reports"),
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(home / "results"),
            MARK: str(home / PART),
        }

    def _offer_slices(self) -> None:
        """Deploy the slice a second time, to the machines' pool, as an operator would."""
        slices = self._get("/deployments/name/backfill-slice/slice")
        pool = self._get("/work_pools/backfills")
        template = {"type": "process", "base_job_template": pool["base_job_template"]}
        self._world.http.post("/work_pools/", json={"name": POOL, **template})
        wanted = ("flow_id", "entrypoint", "path", "parameters", "parameter_openapi_schema")
        body = {name: slices[name] for name in wanted} | {
            "name": DEPLOYMENT.partition("/")[2],
            "work_pool_name": POOL,
            "pull_steps": slices["pull_steps"],
        }
        self._world.http.post("/deployments/", json=body).raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        return dict(self._world.http.get(path).raise_for_status().json())
