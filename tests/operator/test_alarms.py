"""automations.yaml on a real Prefect server: each alarm tells a webhook, once, what to do."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from deployed import Deployed
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook

from deployments import alarms
from deployments.local.addresses import EMULATOR_KEY
from deployments.local.stack import Stack
from tasks.core.errors import SettingsError
from tasks.reports import run

NAMES = [each["name"] for each in yaml.safe_load(alarms.FILE.read_text())["automations"]]
TWICE = "12 targets: 12 written. 12 rows were paid twice, 0.0123 USD: the service created a second"
ENDS = {
    "GatesFailed": ("FAILED", "Usable is 0.5, outside its limit >= 0.95.", "a gate failed"),
    "BudgetReached": ("CANCELLED", "0.0100 USD are approved.", "ended early, BudgetReached"),
    "QuotaExhausted": ("CANCELLED", "No quota for 6 h.", "ended early, QuotaExhausted"),
    "Crashed": ("CRASHED", "No heartbeat.", "a run broke off"),
    "Completed": ("COMPLETED", TWICE, "rows were paid twice"),
}


class Sink:
    """A webhook on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.texts.append(json.loads(body)["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def wait(self, messages: int, seconds: float = 30.0) -> list[str]:
        """Return what came, in alphabetical order; a moment later than it all did."""
        deadline = time.monotonic() + seconds
        while len(self.texts) < messages and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        return sorted(self.texts)


@pytest.fixture
def sink(prefect_env: Stack, on_stack: Deployed) -> Iterator[Sink]:
    """Yield a sink that two saved blocks send to; no alarm is left."""
    one = Sink()
    custom = CustomWebhookNotificationBlock(
        name="alerts", url=one.url, json_data={"text": "{{subject}}\n{{body}}"}
    )
    custom.save("alerts", overwrite=True)
    Webhook(url=one.url).save("plain", overwrite=True)
    yield one
    for each in applied(on_stack):
        on_stack.api.delete(f"/automations/{each['id']}").raise_for_status()
    one.server.shutdown()


def applied(on_stack: Deployed) -> list[dict[str, Any]]:
    wanted = {"automations": {"name": {"any_": NAMES}}}
    found = on_stack.api.post("/automations/filter", json=wanted).raise_for_status()
    return list(found.json())


def deploy(on_stack: Deployed, **asked: str) -> None:
    """Deploy one deployment as a person does."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "-n", "backfill/full"]
    environment = {**on_stack.stack.environment(), **asked}
    subprocess.run(command, cwd=alarms.FILE.parent, env=environment, check=True)


def planned(on_stack: Deployed) -> str:
    """Return a run of backfill/full that no worker takes."""
    deployment = on_stack.api.get("/deployments/name/backfill/full").json()["id"]
    later = (datetime.now(UTC) + timedelta(days=300)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": later}}
    body = {"name": "full passage_concepts", "state": state}
    made = on_stack.api.post(f"/deployments/{deployment}/create_flow_run", json=body)
    return str(made.raise_for_status().json()["id"])


def end(on_stack: Deployed, name: str) -> None:
    kind, message, _ = ENDS[name]
    body = {"state": {"type": kind, "name": name, "message": message}, "force": True}
    on_stack.api.post(f"/flow_runs/{planned(on_stack)}/set_state", json=body).raise_for_status()


def test_every_early_end_of_a_run_has_an_alarm_and_no_run_that_ended_stands_still() -> None:
    told = yaml.safe_load(alarms.FILE.read_text())["automations"]
    [silence] = [each["trigger"] for each in told if each["trigger"]["posture"] == "Proactive"]
    of_ends = {event for each in told for event in each["trigger"]["expect"]}

    early = {f"prefect.flow-run.{name}" for name in run._EARLY.values()}

    assert early <= of_ends
    assert early <= {*silence["expect"]}


@pytest.mark.long
def test_each_alarm_sends_one_message_that_says_what_happened_and_what_to_do(
    on_stack: Deployed, sink: Sink
) -> None:
    assert alarms.apply("custom-webhook/alerts") == NAMES
    deploy(on_stack, BACKFILL_ALARM_BLOCK="custom-webhook/alerts")
    assert sorted(each["name"] for each in applied(on_stack)) == sorted(NAMES)
    on_stack.load(3)

    waiting = on_stack.start("backfill/full", without_pilot=True)
    assert on_stack.suspended(waiting)["name"] == "Suspended"
    for name in ENDS:
        end(on_stack, name)

    texts = sink.wait(len(ENDS) + 1)
    expected = {said: message for _, message, said in ENDS.values()}
    expected["a run waits for approval"] = waiting
    subjects = [text.splitlines()[0] for text in texts]
    assert subjects == sorted(f"passage_concepts: {said}" for said in expected)
    for text in texts:
        subject, happened, to_do = text.strip().splitlines()
        message = expected[subject.partition(": ")[2]]
        assert happened.startswith("The run 'full passage_concepts' of passage_concepts ")
        assert message in happened or message in to_do
        assert to_do.startswith("To do: ")
        assert f"{on_stack.stack.server.url}/" in to_do
        assert EMULATOR_KEY not in text
        assert on_stack.database_url not in text


def test_a_plain_webhook_gets_its_text_as_json_and_other_blocks_are_refused(
    on_stack: Deployed, sink: Sink
) -> None:
    alarms.apply("webhook/plain")

    end(on_stack, "GatesFailed")

    [text] = sink.wait(1)
    assert text.startswith("passage_concepts: a gate failed\nThe run 'full passage_concepts'")
    assert ">= 0.95." in text
    with pytest.raises(SettingsError, match="has no block 'webhook/nobody'"):
        alarms.apply("webhook/nobody")
    Secret(value="x").save("no-bell", overwrite=True)
    with pytest.raises(SettingsError, match="cannot notify anybody"):
        alarms.apply("secret/no-bell")


@pytest.mark.long
def test_a_run_that_shows_no_sign_of_life_is_told_of_once_and_one_that_ended_never(
    on_stack: Deployed, sink: Sink, tmp_path: Path
) -> None:
    quick = tmp_path / "automations.yaml"
    quick.write_text(alarms.FILE.read_text().replace("within: 600", "within: 10"))
    alarms.apply("custom-webhook/alerts", quick)
    silent, ended = planned(on_stack), planned(on_stack)
    flow = on_stack.api.get(f"/flow_runs/{silent}").json()["flow_id"]
    related = {
        "prefect.resource.id": f"prefect.flow.{flow}",
        "prefect.resource.role": "flow",
        "prefect.resource.name": "backfill",
    }
    signs = [
        {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": "prefect.flow-run.heartbeat",
            "resource": {"prefect.resource.id": f"prefect.flow-run.{each}"},
            "related": [related],
        }
        for each in (silent, ended)
    ]
    on_stack.api.post("/events", json=signs).raise_for_status()
    body = {"state": {"type": "COMPLETED", "name": "DryRun"}, "force": True}
    on_stack.api.post(f"/flow_runs/{ended}/set_state", json=body).raise_for_status()

    texts = sink.wait(1, seconds=60)
    time.sleep(15)

    assert sink.texts == texts
    [text] = texts
    assert text.startswith("passage_concepts: a run stands still\n")
    assert silent in text
