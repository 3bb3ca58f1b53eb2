"""Money is spent only with a yes: a parameter, a form on the suspended run, never by default."""

from typing import NamedTuple
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from tasks import backfills
from tasks.adapters.ledger import answers, runs
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.restoring import Waiting
from tasks.planning.approval_form import Approval, ask, taken
from tasks.planning.estimate import estimate_page


class Beforehand(NamedTuple):
    """What a person has said before the run began, and how long it waits for what they have not."""

    up_to_usd: float
    restore_many: bool
    hours: float


class _Asked(NamedTuple):
    """What a run needs a yes to."""

    run: Run
    needed: float
    waiting: Waiting

    def is_approved(self, beforehand: Beforehand) -> bool:
        return self.needed <= self.amount(beforehand) and not self.restores(beforehand)

    def amount(self, beforehand: Beforehand) -> float:
        return max(beforehand.up_to_usd, self.run.approved_usd)

    def restores(self, beforehand: Beforehand) -> str:
        """Return the question about missing rows; empty where there is none, or it was answered."""
        is_said = beforehand.restore_many or self.run.restores_approved
        return "" if is_said or not self.waiting.is_many else self.waiting.question()


async def obtain_approval(
    name: str, run_id: UUID, estimate: Estimate, beforehand: Beforehand
) -> State | None:
    """Return None once the run may go on, or the state in which a refused run ends.

    What a run has spent before counts: the amount is the cap of the run, however often it runs.
    Many missing rows need a yes of their own, which an amount does not give.
    """
    asked = await _asked(name, run_id, estimate)
    logger, needed = get_run_logger(), asked.needed
    if asked.is_approved(beforehand):
        amount = asked.amount(beforehand)
        await in_thread(_approve)(run_id, amount, "parameter", restores=beforehand.restore_many)
        logger.info("%.4f USD needed, %.4f USD approved.", needed, amount)
        return None
    await show_estimate(name, estimate, needed)
    restores = asked.restores(beforehand)
    logger.warning("%.4f USD needed: waiting for approval in the Prefect UI. %s", needed, restores)
    form = Approval.with_initial_data(
        description=_question(name, estimate, needed, restores),
        approve_up_to_usd=max(_with_headroom(needed), asked.amount(beforehand)),
    )
    answer = await ask(form, seconds=max(1, round(beforehand.hours * 3600)))
    refused = await _record(name, asked, answer, restores=bool(restores) or beforehand.restore_many)
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
def _asked(name: str, run_id: UUID, estimate: Estimate) -> _Asked:
    with connect() as connection:
        run = runs.get(connection, run_id)
        spent = runs.spending(connection, run_id).spent_usd
        waiting = answers.waiting(connection, backfills.get(name))
        return _Asked(run, spent + estimate.usd() + estimate.canary_usd(), waiting)


def _approve(run_id: UUID, usd: float, by: str, *, restores: bool) -> None:
    with connect() as connection:
        runs.approve(connection, run_id, usd, by)
        if restores:
            runs.approve_restores(connection, run_id)


@in_thread
def _record(name: str, asked: _Asked, answer: Approval, *, restores: bool) -> State | None:
    """Put a person's answer into the ledger; return the state in which a refused run ends."""
    run_id = asked.run.run_id
    if answer.refuse or (asked.needed > 0 and answer.approve_up_to_usd <= 0):
        return _refuse(name, run_id)
    _approve(run_id, answer.approve_up_to_usd, "form", restores=restores)
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


def _question(name: str, estimate: Estimate, needed: float, restores: str) -> str:
    asked = f"**{restores}**\n\n" if restores else ""
    return asked + (
        f"**{name}**: {estimate.targets:,} targets in {estimate.slices:,} batch jobs,"
        f" about **{needed:.2f} USD** at batch price with {estimate.model}"
        f" ({estimate.source}; prices of {estimate.prices_as_of}).\n\n"
        "The amount is a hard cap: the run ends when it is reached, and keeps what is done."
    )
