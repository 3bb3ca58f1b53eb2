"""The audit: what is claimed, what is there, what is missing, what the rest would cost."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.adapters.stages import says_why
from tasks.planning.parameters import StaleHours
from tasks.reports.audit import take_audit


@flow(name="audit", flow_run_name="audit of everything")
@says_why
async def audit(stale_hours: StaleHours = 6.0) -> State:
    """Look at environment, database and account; change nothing.

    Args:
        stale_hours: A job that says it runs and has not moved for so long is a finding.
    """
    return await take_audit(stale_hours)
