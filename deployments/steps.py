"""Deploy-time steps, named in prefect.yaml."""

from functools import cache

from deployments.alarms import apply
from tasks import backfills
from tasks.adapters import views
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.settings import settings


def migrate() -> dict[str, list[str]]:
    """Bring the ledger's schema up to date; return the names of what was applied and made."""
    return {
        "applied": apply_migrations(),
        "views": views.create(map(backfills.get, backfills.names())),
    }


def alarms() -> dict[str, list[str]]:
    """Apply automations.yaml where a block is named that is to be told; return the names."""
    block = settings().alarm_block
    return {"alarms": _once(block) if block else []}


@cache
def _once(block: str) -> list[str]:
    return apply(block)  # each of the deployments runs the steps
