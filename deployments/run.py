"""`python -m deployments.run DEPLOYMENT`: start a run, or follow one, and say yes to it here.

DEPLOYMENT is a deployment's name (backfill/full), or the id of a run that was started before.
"""

import argparse
import re
import select
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, LogFilter
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from prefect.utilities.urls import url_for

from deployments.screen import Screen
from tasks.core.errors import BackfillError, SettingsError

PAUSE_SECONDS = 0.5
LATE_SECONDS = 2.0
"""A run's last lines come so much later than its last state."""

WORKER_SECONDS = 20.0
"""From then on a run that nobody took is remarked on."""

MOST_LINES = 200  # Prefect returns no more at once
INFO = 20
NOISE = "Finished in state Completed()"  # one for each task
REPORT = "QC report: "
PAGES = ("-try", "-explain")
"""The ends of the keys of pages that a person waits for."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey: pages hold what rows and models say."""

STOPPED = 130
PREFIX = re.compile(r"^Flow run encountered an exception: (\w+: )?")
"""What Prefect puts before the sentence of a run that failed."""


def main() -> int:
    """Start or follow a run; return 0 only if it completed."""
    parser = argparse.ArgumentParser(prog="python -m deployments.run", description=__doc__)
    parser.add_argument("what", metavar="DEPLOYMENT", help="backfill/full, or a run's id")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="one field of its form"
    )
    arguments = parser.parse_args()
    screen = Screen()
    try:
        with get_client(sync_client=True) as client, screen:
            run = UUID(arguments.what) if _is_id(arguments.what) else None
            run = run or start(client, arguments.what, parameters(arguments.param))
            return follow(Following(client, run, screen))
    except BackfillError as error:
        screen.say(str(error))
    except httpx.HTTPError as error:
        screen.say(
            f"Check PREFECT_API_URL, and run this again: Prefect at {PREFECT_API_URL.value()} does"
            f" not answer ({error}). A run that has begun goes on."
        )
    except KeyboardInterrupt:
        screen.say(
            "The run goes on without this terminal: `make gemini_backfill_status` shows it, and"
            " `prefect deployment run stop/now` stops it."
        )
        return STOPPED
    return 1


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return NAME=VALUE texts as values: JSON where it is JSON, else the text itself."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise SettingsError(f"Write --param {each}=VALUE: a parameter needs a value.")
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found


def start(client: SyncPrefectClient, name: str, values: dict[str, Any]) -> UUID:
    """Start a deployment as its form does; return the flow run's id."""
    try:
        deployment = client.read_deployment_by_name(name)
        form = deployment.parameter_openapi_schema or {}
        fields = form.get("properties", {})
        filled = {key: _fitting(value, fields.get(key, {})) for key, value in values.items()}
        return client.create_flow_run_from_deployment(deployment.id, parameters=filled).id
    except ObjectNotFound:
        raise SettingsError(
            f"Deploy first (`make up`, or see README): Prefect at {PREFECT_API_URL.value()} has no"
            f" deployment {name}. `prefect deployment ls` lists those it has."
        ) from None
    except PrefectHTTPStatusError as error:
        said = error.response.json().get("detail", error.response.text)
        raise SettingsError(f"Change the parameters of {name}: {said}") from None


@dataclass
class Following:
    """A run that is followed, and what was already shown of it."""

    client: SyncPrefectClient
    run: UUID
    screen: Screen
    shown: int = 0
    began: float = field(default_factory=time.monotonic)
    is_remarked: bool = False
    report: str = ""

    @property
    def page(self) -> str:
        """The run's page in Prefect's UI."""
        return url_for("flow-run", obj_id=self.run, url_type="ui") or str(self.run)

    def state(self) -> State[Any]:
        """Return the run's state."""
        try:
            state = self.client.read_flow_run(self.run).state
        except ObjectNotFound:
            raise SettingsError(
                f"Look for the run's id again: Prefect has no {self.run}."
            ) from None
        if state is None:  # a run without a state was only just made
            raise SettingsError(f"Run this again: {self.run} has no state yet.")
        return state

    def show_lines(self) -> None:
        """Show what the run has logged since the last time."""
        wanted = LogFilter.model_validate(
            {"flow_run_id": {"any_": [self.run]}, "level": {"ge_": INFO}}
        )
        while lines := self.client.read_logs(wanted, limit=MOST_LINES, offset=self.shown):
            self.shown += len(lines)
            for line in lines:
                if line.message.startswith(REPORT):
                    self.report = line.message.removeprefix(REPORT)
                if not line.message.endswith(NOISE):
                    self.screen.say(f"{line.timestamp:%H:%M:%S}  {line.message}")

    def remark(self, state: State[Any]) -> None:
        """Say once that no worker takes the run."""
        waits = state.is_scheduled() and time.monotonic() - self.began > WORKER_SECONDS
        if waits and not self.is_remarked:
            self.is_remarked = True
            self.screen.say(
                "Start a worker (`prefect worker start --pool backfills`; `make up` does): none has"
                " taken this run yet."
            )


def follow(this: Following) -> int:
    """Show a run until it has ended; return 0 only if it completed."""
    this.screen.say(f"Run {this.run}: {this.page}")
    answered = None
    while not (state := this.state()).is_final():
        this.show_lines()
        this.screen.progress(this.run)
        this.remark(state)
        if state.is_paused() and state.id != answered:
            answered = approve(this, state)
        else:
            time.sleep(PAUSE_SECONDS)
    time.sleep(LATE_SECONDS)
    this.show_lines()
    this.screen.progress(this.run, is_last=True)
    for page in pages(this):
        this.screen.say(page)
    this.screen.say(f"{state.name}: {PREFIX.sub('', state.message or 'no more is said.')}")
    if this.report:
        this.screen.say(f"Reports: {this.report}")
    this.screen.say(f"All of it: {this.page}")
    return 0 if state.is_completed() else 1


def pages(this: Following) -> list[str]:
    """Return the run's pages that are meant for a terminal too."""
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[this.run]))
    found = this.client.read_artifacts(artifact_filter=of_run)
    shown = (str(each.data) for each in found if str(each.key).endswith(PAGES))
    return [CONTROL.sub("\ufffd", page) for page in shown]


def approve(this: Following, state: State[Any]) -> UUID:
    """Ask the run's question; return the id of the state that was answered here or elsewhere."""
    keys = state.state_details.run_input_keyset or {}
    if not keys:  # paused by hand, in the UI: there is no question
        return state.id
    question = orjson.loads(this.client.read_flow_run_input(this.run, keys["description"]))
    form = orjson.loads(this.client.read_flow_run_input(this.run, keys["schema"]))
    amount = float(form["properties"]["approve_up_to_usd"]["default"])
    this.screen.ask(question, this.page, amount)
    while (now := this.state()).id == state.id:
        said = _typed() if this.screen.is_terminal else None
        if said is None:
            time.sleep(0 if this.screen.is_terminal else PAUSE_SECONDS)
        elif (answer := read(said, amount)) is None:
            this.screen.say("Type yes, no, or an amount in USD.")
        else:
            _resume(this, answer)
    this.screen.say(f"The run is {now.type.value.lower()} again.")
    return state.id


def read(said: str, amount: float) -> dict[str, Any] | None:
    """Return the form's answer to what was typed; None where it says neither yes nor no."""
    word = said.strip().lower()
    if word in {"yes", "no"}:
        return {"approve_up_to_usd": amount} if word == "yes" else {"refuse": True}
    try:
        return {"approve_up_to_usd": float(word)}
    except ValueError:
        return None


def _resume(this: Following, answer: dict[str, Any]) -> None:
    """Give the run its answer, as the UI does."""
    result = this.client.resume_flow_run(this.run, answer)
    if result.status.value != "ACCEPT":
        this.screen.say(f"Answer again: {getattr(result.details, 'reason', result.status.value)}")


def _typed() -> str | None:
    """Return a line that was typed; None where there was none for a moment."""
    ready, _, _ = select.select([sys.stdin], [], [], PAUSE_SECONDS)
    return (sys.stdin.readline() or None) if ready else None


def _fitting(value: object, field: dict[str, Any]) -> object:
    """Return a number as a text where the form wants one: ids are often numbers."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and field.get("type") == "string" else value


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
