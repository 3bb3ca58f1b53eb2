"""How every row of a backfill stands now, whoever wrote it."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.adapters.stages import says_why
from tasks.planning.parameters import BackfillName
from tasks.reports.verify import verification


@flow(name="verify", flow_run_name="verify {name}")
@says_why
async def verify(name: BackfillName = "job_enrichment") -> State:
    """Count the rows that hold what they should, and the others by what is wrong with them.

    Args:
        name: Which backfill; of one with vectors these are looked at.
    """
    return await verification(name)
