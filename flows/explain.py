"""Why a row says what it says, from its text to what stands in the table."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.adapters.stages import says_why
from tasks.planning.parameters import BackfillName, TargetId
from tasks.reports.explain import explain_row


@flow(name="explain", flow_run_name="explain a row of {name}")
@says_why
async def explain(name: BackfillName = "passage_concepts", target_id: TargetId = "") -> State:
    """Show one row's life: text and evidence, question, raw answer, tries, job, dollars, rows now.

    Nothing is asked, and nothing is changed.

    Args:
        name: Which backfill.
        target_id: The row's id.
    """
    return await explain_row(name, target_id)
