"""Money is spent only with a yes: a parameter, a form on the suspended run, never by default."""

from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from tasks import backfills
from tasks.adapters.ledger import runs
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.planning.approval_form import Approval, ask, taken
from tasks.planning.estimate import estimate_page


async def obtain_approval(
    name: str, run_id: UUID, estimate: Estimate, approve_up_to_usd: float, hours: float
) -> State | None:
    """Return None once the run's spending is approved, or the state in which a refused run ends.

    What a run has spent before counts: the amount is the cap of the run, however often it runs.
    """
    run, needed = await _needed(run_id, estimate)
    logger = get_run_logger()
    if needed <= max(approve_up_to_usd, run.approved_usd):
        amount = max(approve_up_to_usd, run.approved_usd)
        await in_thread(_approve)(run_id, amount, "parameter")
        logger.info("%.4f USD needed, %.4f USD approved.", needed, amount)
        return None
    await show_estimate(name, estimate, needed)
    logger.warning("%.4f USD needed: waiting for approval in the Prefect UI.", needed)
    form = Approval.with_initial_data(
        description=_question(name, estimate, needed),
        approve_up_to_usd=_with_headroom(needed),
    )
    answer = await ask(form, seconds=max(1, round(hours * 3600)))
    refused = await _record(name, run_id, answer)
    await taken()
    return refused


async def show_estimate(name: str, estimate: Estimate, needed: float) -> None:
    """Put the estimate on the run's page."""
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-estimate",
        markdown=await in_thread(estimate_page)(name, estimate, needed),
        description=f"What {name} would send, receive and cost",
    )


@in_thread
def _needed(run_id: UUID, estimate: Estimate) -> tuple[Run, float]:
    with connect() as connection:
        run = runs.get(connection, run_id)
        spent = runs.spending(connection, run_id).spent_usd
        return run, spent + estimate.usd() + estimate.canary_usd()


def _approve(run_id: UUID, usd: float, by: str) -> None:
    with connect() as connection:
        runs.approve(connection, run_id, usd, by)


@in_thread
def _record(name: str, run_id: UUID, answer: Approval) -> State | None:
    """Put a person's answer into the ledger; return the state in which a refused run ends."""
    if answer.refuse or answer.approve_up_to_usd <= 0:
        return _refuse(name, run_id)
    _approve(run_id, answer.approve_up_to_usd, "form")
    return None


def _refuse(name: str, run_id: UUID) -> State:
    message = "Refused: nothing was submitted."
    with connect() as connection:
        runs.end(connection, run_id, "refused", message)
        runs.say(connection, backfills.get(name), "stopped", notes=message)
    return Cancelled(name="Refused", message=message)


def _with_headroom(usd: float) -> float:
    """Return the amount that the form proposes: answers may be a fifth longer than expected."""
    return round(usd * 1.2 + 0.005, 2)


def _question(name: str, estimate: Estimate, needed: float) -> str:
    return (
        f"**{name}**: {estimate.targets:,} targets in {estimate.slices:,} batch jobs,"
        f" about **{needed:.2f} USD** at batch price with {estimate.model}"
        f" ({estimate.source}; prices of {estimate.prices_as_of}).\n\n"
        "The amount is a hard cap: the run ends when it is reached, and keeps what is done."
    )
