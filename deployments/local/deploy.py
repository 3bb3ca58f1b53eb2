"""What makes a running stack useful: the ledger's schema and the deployments."""

import hashlib
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from deployments.local.errors import StackError
from deployments.local.part import module
from deployments.local.processes import tail


def migrate(database_url: str, say: Callable[[str], None]) -> None:
    """Bring the ledger's schema in the application's database up to date."""
    from tasks.adapters.migrations import apply_migrations

    for name in apply_migrations(database_url):
        say(f"Applied {name}.")


def digest(project: Path) -> str:
    """Return a digest of what a deployment is made from: it changes when deploying is due."""
    sources = [project / "prefect.yaml", project / "backfills.toml"]
    for pattern in ("deployments/*.py", "flows/*.py", "tasks/backfills/*.py"):
        sources += sorted(project.glob(pattern))
    texts = [path.read_bytes() for path in sources if path.exists()]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def everything(
    project: Path, environment: Mapping[str, str], log: Path, say: Callable[[str], None]
) -> None:
    """Deploy all of prefect.yaml, and an incremental run of every backfill.

    Raises:
        StackError: when Prefect refuses; with the end of what it printed.
    """
    if not (project / "prefect.yaml").exists():
        say("There is no prefect.yaml yet: nothing was deployed.")
        return
    log.touch(mode=0o600)
    with log.open("ab") as output:
        done = subprocess.run(
            module("deployments.deploy"),
            cwd=project,
            env=dict(environment),
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise StackError(f"Deploying prefect.yaml failed. The end of {log}:\n{tail(log)}")
