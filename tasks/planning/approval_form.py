"""The form on a run that waits for a person, and which of its questions was answered.

Prefect keeps form and answer under the name of the pause. A question that was answered must not be
asked under the same name again: a run that is retried would be given its old answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from uuid import UUID

from prefect.exceptions import PrefectHTTPStatusError
from prefect.flow_runs import asuspend_flow_run
from prefect.input import (
    Keyset,
    RunInput,
    acreate_flow_run_input,
    adelete_flow_run_input,
    afilter_flow_run_input,
    keyset_from_base_key,
)
from pydantic import Field

TAKEN = "approval-taken-"
MOST_QUESTIONS = 200  # of one flow run: more than a person answers


class Approval(RunInput):
    """What a person says."""

    approve_up_to_usd: float = Field(
        default=0.0, ge=0, title="Approve up to (USD)", description="The hard cap of this run."
    )
    refuse: bool = Field(default=False, title="Refuse", description="End the run; spend nothing.")

    @classmethod
    async def asave(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Store the form; one that is there already stays."""
        with _unless(HTTPStatus.CONFLICT):
            await super().asave(keyset, flow_run_id)


async def ask(form: type[Approval], seconds: int) -> Approval:
    """Suspend the run until a person answers or the seconds are over; return the answer.

    A run that is resumed comes here again, and gets the same answer until it is `taken`.
    """
    pause = f"approval-{await _questions_taken() + 1}"
    await _store(form, keyset_from_base_key(f"suspended-{pause}"))
    return await asuspend_flow_run(wait_for_input=form, timeout=seconds, key=pause)


async def taken() -> None:
    """Note that the ledger has the answer: what is asked from now on is another question."""
    with _unless(HTTPStatus.CONFLICT):
        await acreate_flow_run_input(f"{TAKEN}{await _questions_taken() + 1}", value=True)


async def _questions_taken() -> int:
    return len(await afilter_flow_run_input(TAKEN, limit=MOST_QUESTIONS))


async def _store(form: type[Approval], keyset: Keyset) -> None:
    """Store the form ahead of the pause.

    Prefect would suspend first, and a run that dies in between could never be resumed.
    """
    for key in (keyset["schema"], keyset["description"]):
        with _unless(HTTPStatus.NOT_FOUND):
            await adelete_flow_run_input(key)
    await form.asave(keyset)


@contextmanager
def _unless(status: HTTPStatus) -> Iterator[None]:
    try:
        yield
    except PrefectHTTPStatusError as error:
        if error.response.status_code != status:
            raise
