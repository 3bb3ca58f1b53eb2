"""A schedule that is switched on runs its own backfill, and stays on when all is deployed again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse

from deployments.deploy import MODEL, wanted
from deployments.local import prefect_api
from deployments.local.stack import Stack
from tasks import backfills

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text())
GONE = 404
SECONDS_TO_PLAN = 90.0

Json = dict[str, Any]


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with prefect_api.client(stack.environment()) as client:
        yield client


def deployment(api: httpx.Client, name: str) -> Json:
    found: Json = api.get(f"/deployments/name/{name}").raise_for_status().json()
    return found


def planned(api: httpx.Client, of: Json) -> list[Json]:
    wanted = {
        "deployments": {"id": {"any_": [of["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    deadline = time.monotonic() + SECONDS_TO_PLAN
    while not (found := api.post("/flow_runs/filter", json=wanted).raise_for_status().json()):
        assert time.monotonic() < deadline, "no run was planned"
        time.sleep(0.5)
    return list(found)


def test_a_schedule_that_is_switched_on_runs_its_own_backfill_also_when_deployed_again(
    stack: Stack, api: httpx.Client
) -> None:
    songs = deployment(api, "backfill/incremental-songs")
    [schedule] = songs["schedules"]
    assert not schedule["active"]
    path = f"/deployments/{songs['id']}/schedules/{schedule['id']}"

    # What the UI sends for its switch, and for its form.
    api.patch(path, json={"active": True}).raise_for_status()
    edited = {"schedule": {"cron": "7 7 * * *", "timezone": "Europe/Vienna"}, "active": True}
    api.patch(path, json=edited).raise_for_status()
    runs = planned(api, songs)
    more = {"parameters": {**songs["parameters"], "approve_up_to_usd": 2.0}}
    api.patch(f"/deployments/{songs['id']}", json=more).raise_for_status()
    stack.deploy()

    assert {run["parameters"]["name"] for run in runs} == {"songs"}
    assert {run["parameters"]["csv_in"] for run in runs} == {"songs.csv"}
    again = deployment(api, "backfill/incremental-songs")
    [kept] = again["schedules"]
    assert (kept["active"], kept["schedule"]["cron"]) == (True, "7 7 * * *")
    assert again["parameters"] == more["parameters"]
    api.patch(path, json={"active": False}).raise_for_status()


def test_what_was_renamed_keeps_its_schedule_and_a_persons_own_deployments_stay(
    stack: Stack, api: httpx.Client
) -> None:
    schedule = {"slug": "documents-nightly", "schedule": {"cron": "3 3 * * *"}, "active": True}
    index = deployment(api, "documents/index-new")
    former = {key: index[key] for key in ("flow_id", "entrypoint")} | {"schedules": [schedule]}
    for name in ("incremental", "my-own"):
        api.post("/deployments/", json={"name": name, **former}).raise_for_status()

    stack.deploy()

    assert api.get("/deployments/name/documents/incremental").status_code == GONE
    [kept] = deployment(api, "documents/index-new")["schedules"]
    assert (kept["active"], kept["schedule"]["cron"]) == (True, "3 3 * * *")
    path = f"/deployments/{index['id']}/schedules/{kept['id']}"
    api.patch(path, json={"active": False}).raise_for_status()
    mine = deployment(api, "documents/my-own")
    api.delete(f"/deployments/{mine['id']}").raise_for_status()


def test_every_backfill_has_an_incremental_run_and_no_schedule_has_parameters() -> None:
    made = wanted(FILE, {})["deployments"]

    of = {each["name"]: each for each in made if each.get("schedules")}
    schedules = [each for entry in of.values() for each in entry["schedules"]]
    asked = {entry.get("parameters", {}).get("name") for entry in of.values()}
    assert {*backfills.names()} <= asked
    assert of["incremental-job-enrichment"]["parameters"]["name"] == "job_enrichment"
    assert not [each for each in schedules if "parameters" in each or each["active"]]
    assert len({each["cron"] for each in schedules}) == len(schedules)


def test_what_was_switched_on_before_each_had_its_own_deployment_moves_there() -> None:
    schedule = DeploymentSchedule.model_validate(
        {"slug": "songs", "schedule": {"cron": "9 9 * * *"}, "active": True, "parameters": {}}
    )
    former = DeploymentResponse.model_validate(
        {"name": MODEL[1], "flow_id": "6" * 32, "entrypoint": MODEL[0], "schedules": [schedule]}
    )

    made = {each["name"]: each for each in wanted(FILE, {MODEL: former})["deployments"]}

    [songs] = made["incremental-songs"]["schedules"]
    assert (songs["cron"], songs["active"]) == ("9 9 * * *", True)
    assert not made["incremental-chunk-concepts"]["schedules"][0]["active"]
