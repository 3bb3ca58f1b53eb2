"""The form on a run that waits for a person, and which of its questions was answered.

Prefect keeps form and answer under the name of the pause. A question that was answered must not be
asked under the same name again: a run that is retried would be given its old answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Abort, Pause, PrefectHTTPStatusError
from prefect.input import (
    Keyset,
    RunInput,
    acreate_flow_run_input,
    adelete_flow_run_input,
    afilter_flow_run_input,
    aread_flow_run_input,
    keyset_from_base_key,
)
from prefect.runtime import flow_run
from prefect.states import Suspended
from pydantic import Field

TAKEN = "approval-taken-"
MOST_QUESTIONS = 200  # of one flow run: more than a person answers


class Approval(RunInput):
    """What a person says."""

    approve_up_to_usd: float = Field(
        default=0.0, ge=0, title="Approve up to (USD)", description="The hard cap of this run."
    )
    refuse: bool = Field(default=False, title="Refuse", description="End the run; spend nothing.")


async def is_answered() -> bool:
    """Return whether a person has answered the question that stands."""
    keyset = keyset_from_base_key(f"suspended-{await _pause()}")
    return bool(await aread_flow_run_input(keyset["response"]))


async def ask(form: type[Approval], seconds: int) -> Approval:
    """Suspend the run until a person answers or the seconds are over; return the answer.

    A run that is resumed comes here again, and gets the same answer until it is `taken`.
    """
    pause = await _pause()
    keyset = keyset_from_base_key(f"suspended-{pause}")
    if said := await aread_flow_run_input(keyset["response"]):
        return form(**said)
    await _store(form, keyset)
    raise Pause(state=await _suspended(pause, keyset, seconds))


async def taken() -> None:
    """Note that the ledger has the answer: what is asked from now on is another question."""
    with _unless(HTTPStatus.CONFLICT):
        await acreate_flow_run_input(f"{TAKEN}{await _questions_taken() + 1}", value=True)


async def _pause() -> str:
    """Return the name under which Prefect keeps the question that stands."""
    return f"approval-{await _questions_taken() + 1}"


async def _questions_taken() -> int:
    return len(await afilter_flow_run_input(TAKEN, limit=MOST_QUESTIONS))


async def _store(form: type[Approval], keyset: Keyset) -> None:
    """Store the form in place of what an earlier process of the run left of it."""
    for key in (keyset["schema"], keyset["description"]):
        with _unless(HTTPStatus.NOT_FOUND):
            await adelete_flow_run_input(key)
    await form.asave(keyset)


async def _suspended(pause: str, keyset: Keyset, seconds: int) -> State | None:
    """Return the state of the run once it is suspended, with its form stored already.

    Prefect's `suspend_flow_run` stores the form after the pause, and its server (since 3.9) throws
    away what was stored before: a run that dies in between could never be resumed. A forced state
    leaves the form where it is; so what would forbid the pause is looked for here.
    """
    run = UUID(str(flow_run.id))
    state: State[None] = Suspended(timeout_seconds=seconds, pause_key=pause)
    state.state_details.run_input_keyset = {str(name): key for name, key in keyset.items()}
    async with get_client() as client:
        now = (await client.read_flow_run(run)).state
        if now is None or not now.is_running():
            raise Abort("The run is being stopped: it does not wait for a person.")
        return (await client.set_flow_run_state(run, state, force=True)).state


@contextmanager
def _unless(status: HTTPStatus) -> Iterator[None]:
    try:
        yield
    except PrefectHTTPStatusError as error:
        if error.response.status_code != status:
            raise
