"""Where every backfill stands, at this moment."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.adapters.stages import says_why
from tasks.planning.parameters import WithCensus
from tasks.reports.status import show_status


@flow(name="status", flow_run_name="status of every backfill")
@says_why
async def status(census: WithCensus = False) -> State:  # noqa: FBT002 - a form has check boxes
    """Show what is planned, in flight, written, empty and bad, how fast, and what was spent.

    Args:
        census: Also count stale, orphaned, thinned, edited, out-of-scope and restorable rows. That
            reads both tables of every backfill: seconds for each 100,000 rows.
    """
    return await show_status(census=census)
