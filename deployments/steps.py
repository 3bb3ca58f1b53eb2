"""Deploy-time steps, named in prefect.yaml."""

from tasks.adapters.postgres import apply_migrations, create_views


def migrate() -> dict[str, list[str]]:
    """Bring the ledger's schema up to date; return the names of what was applied and made."""
    return {"applied": apply_migrations(), "views": create_views()}
