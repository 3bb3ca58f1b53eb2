"""Money is spent only with a yes: a parameter, a form on the suspended run, never by default."""

from math import ceil
from typing import NamedTuple
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled

from tasks import backfills
from tasks.adapters.ledger import answers, budget, checkpoint, runs, slices
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.models import Run
from tasks.core.money import Estimate
from tasks.core.restoring import Waiting
from tasks.planning.approval_form import Approval, ask, is_answered, taken
from tasks.planning.estimate import estimate_page

LEAST_SHOWN = 0.1
"""Dollars from which on cents say enough."""


class Beforehand(NamedTuple):
    """What a person has said before the run began, and how long it waits for what they have not."""

    up_to_usd: float
    restore_many: bool
    hours: float
    slices_at_once: int


class _Asked(NamedTuple):
    """What a run needs a yes to."""

    run: Run
    needed: float
    waiting: Waiting

    def is_approved(self, beforehand: Beforehand) -> bool:
        amount, _ = self.amount(beforehand)
        return self.needed <= amount and not self.restores(beforehand)

    def amount(self, beforehand: Beforehand) -> tuple[float, str]:
        """Return the amount that holds, and who gave it: the last one that a person said.

        A form's answer holds in the flow run that it was given to; a later run may say less.
        """
        is_answered = self.run.approved_by == "form" and self.run.approved_in == _flow_run_id()
        if is_answered or not beforehand.up_to_usd:
            return self.run.approved_usd, self.run.approved_by or "parameter"
        return beforehand.up_to_usd, "parameter"

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
    amount, by = asked.amount(beforehand)
    if asked.is_approved(beforehand):
        await in_thread(_approve)(run_id, amount, by, restores=beforehand.restore_many)
        logger.info("%.4f USD needed, %.4f USD approved (%s).", needed, amount, by)
        return None
    restores = asked.restores(beforehand)
    flying = await _flying(name, run_id, beforehand.slices_at_once)
    form = Approval.with_initial_data(
        description=_question(name, estimate, needed, flying, restores),
        approve_up_to_usd=max(_in_cents(needed + flying), amount),
    )
    if not await is_answered():
        await show_estimate(name, estimate, needed)
        logger.warning("%.4f USD needed: waiting for a person to approve. %s", needed, restores)
    answer = await ask(form, seconds=max(1, round(beforehand.hours * 3600)))
    refused = await _record(name, asked, answer, restores=bool(restores) or beforehand.restore_many)
    await taken()
    if refused is None:
        up_to = answer.approve_up_to_usd
        logger.info("%.4f USD needed, %.4f USD approved (in the run's form).", needed, up_to)
    return refused


async def show_estimate(name: str, estimate: Estimate, needed: float) -> None:
    """Put the estimate on the run's page."""
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-estimate",
        markdown=await in_thread(estimate_page)(name, estimate, needed),
        description=f"What {name} would send, receive and cost",
    )


def _flow_run_id() -> str | None:
    return str(flow_run.get_id()) if flow_run.get_id() else None


@in_thread
def _asked(name: str, run_id: UUID, estimate: Estimate) -> _Asked:
    with connect() as connection:
        run = runs.get(connection, run_id)
        spent = runs.spending(connection, run_id).spent_usd
        waiting = answers.waiting(connection, backfills.get(name))
        return _Asked(run, spent + estimate.usd() + estimate.canary_usd(), waiting)


def _approve(run_id: UUID, usd: float, by: str, *, restores: bool) -> None:
    with connect() as connection:
        runs.approve(connection, run_id, usd, by, _flow_run_id())
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
        checkpoint.say(connection, backfills.get(name), "stopped", notes=message)
    return Cancelled(name="Refused", message=message)


@in_thread
def _flying(name: str, run_id: UUID, slices_at_once: int) -> float:
    """Return what the jobs that fly at once may cost beyond what is expected of them."""
    backfill = backfills.get(name)
    with connect() as connection:
        first = slices.open_slices(connection, run_id)[:slices_at_once]
        flying = [slices.get(connection, each.slice_id) for each in first]
        most = [budget.most_usd(connection, backfill, each) for each in flying]
    more = sum(usd - each.estimated_usd for usd, each in zip(most, flying, strict=True))
    return max(0.0, more)


def _in_cents(usd: float) -> float:
    """Return the amount that the form proposes, in whole cents that are enough."""
    return ceil(usd * 100) / 100


def _question(name: str, estimate: Estimate, needed: float, flying: float, restores: str) -> str:
    at_least = f"{needed:.2f}" if needed >= LEAST_SHOWN else f"{needed:.4f}"
    asked = f"**{restores}**\n\n" if restores else ""
    return asked + (
        f"**{name}**: {estimate.targets:,} targets in {estimate.slices:,} batch jobs,"
        f" about **{at_least} USD** at batch price with {estimate.model}"
        f" ({estimate.source}; prices of {estimate.prices_as_of}).\n\n"
        f"The proposed amount holds {flying:.4f} USD more: while jobs are in flight, all that their"
        " answers may cost is reserved. It is a hard cap"
        f"{', but for searches beyond what was measured' if estimate.searches_per_request else ''}:"
        " spent and reserved never exceed it, what does not fit waits, is cut to what is left, or"
        " stays planned, and what is done is kept."
    )
