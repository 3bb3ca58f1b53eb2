"""Deploy-time steps, named in prefect.yaml."""

from tasks import backfills
from tasks.adapters import views
from tasks.adapters.postgres import apply_migrations


def migrate() -> dict[str, list[str]]:
    """Bring the ledger's schema up to date; return the names of what was applied and made."""
    return {
        "applied": apply_migrations(),
        "views": views.create(map(backfills.get, backfills.names())),
    }
