"""Where every backfill stands, at this moment."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.reports.status import show_status


@flow(name="status", flow_run_name="status of every backfill")
async def status() -> State:
    """Show what is planned, in flight, written, empty and bad, how fast, and what was spent."""
    return await show_status()
