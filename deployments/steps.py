"""Deploy-time steps, named in prefect.yaml."""

from tasks import backfills
from tasks.adapters import migrations, views


def migrate() -> dict[str, list[str]]:
    """Bring the ledger's schema up to date; return the names of what was applied and made."""
    return {"applied": migrations.apply(), "views": views.create(map(backfills.get, backfills.names()))}
