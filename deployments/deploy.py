"""`python -m deployments.deploy`: deploy prefect.yaml, and an incremental run of every backfill.

What a person switched on, edited or removed at a schedule, and what was paused, stays as it is; so
do the parameters that a person edited of a backfill's incremental run. Of what no longer is
declared it removes only what RENAMED names: any other may be a person's own.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from tasks import backfills
from tasks.core.backfill import Backfill
from tasks.core.errors import BackfillError
from tasks.core.places import CsvRows

FILE = Path("prefect.yaml")
MODEL = ("flows/backfill.py:backfill", "incremental")
"""The entry that every backfill gets one like. It had their schedules once, told apart by
parameters, which the UI wipes when one is switched on."""

RENAMED = {
    ("flows/answers.py:forget", "rows"): "ids",
    ("flows/answers.py:import_answers", "answers"): "from-file",
    ("flows/documents.py:documents", "full"): "index",
    ("flows/documents.py:documents", "incremental"): "index-new",
    ("flows/reread.py:reread", "version"): "kept-answers",
    ("flows/restore.py:restore", "version"): "withdrawn",
    ("flows/rollback.py:rollback", "version"): "written",
    ("flows/status.py:status", "now"): "progress",
}
"""Names that stood for two things each, by entrypoint, and what they are now."""

MINUTES_BETWEEN = 20
PAGE = 200
Entry = dict[str, Any]
Deployed = Mapping[tuple[str, str], DeploymentResponse]


def main() -> int:
    """Deploy everything; return the exit code."""
    try:
        with get_client(sync_client=True) as client:
            found = _deployed(client)
            file = wanted(yaml.safe_load(FILE.read_text(encoding="utf-8")), renamed(found))
            if code := _deploy(file):
                return code
            _clear(client, found.get(MODEL))
            _move(client, found)
    except httpx.HTTPError as error:
        print(f"Prefect did not answer ({error}): check PREFECT_API_URL.", file=sys.stderr)
        return 1
    except BackfillError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def wanted(file: Entry, standing: Deployed) -> Entry:
    """Return prefect.yaml with an entry for every backfill; what stands keeps its schedules."""
    entries = file["deployments"]
    models = [each for each in entries if _key(each) == MODEL]
    made = [_chosen(each, standing) for model in models for each in incrementals(model)]
    former = _moving(standing.get(MODEL))
    return {**file, "deployments": [_kept(each, standing, former) for each in [*entries, *made]]}


def renamed(found: Deployed) -> Deployed:
    """Return what is deployed by the names that it has now."""
    moved = {(key[0], new): found[key] for key, new in RENAMED.items() if key in found}
    return {**moved, **found}


def incrementals(model: Entry) -> list[Entry]:
    """Return the entry of each backfill's incremental run, with a schedule that is switched off."""
    known = map(backfills.get, backfills.names())
    return [_incremental(model, each, place) for place, each in enumerate(known)]


def _incremental(model: Entry, backfill: Backfill, place: int) -> Entry:
    slug = _slug(backfill.name)
    hour, minute = divmod(place * MINUTES_BETWEEN, 60)
    cron = f"{minute} {(2 + hour) % 24} * * *"
    files = {"csv_in": f"{backfill.name}.csv", "csv_out": f"{backfill.name}-enriched.csv"}
    return {
        **model,
        "name": f"incremental-{slug}",
        "description": f"{backfill.title}: {model['description']}",
        "parameters": {
            **model["parameters"],
            "name": backfill.name,
            **(files if isinstance(backfill.source, CsvRows) else {}),
        },
        "schedules": [{"slug": slug, "cron": cron, "timezone": "UTC", "active": False}],
    }


def _key(entry: Entry) -> tuple[str, str]:
    return str(entry.get("entrypoint")), str(entry.get("name"))


def _slug(name: str) -> str:
    return name.replace("_", "-")


def _kept(entry: Entry, standing: Deployed, former: Mapping[str, Entry]) -> Entry:
    """Return the entry so that deploying it changes no schedule that a person has seen."""
    known = standing.get(_key(entry))
    if known:
        return {**entry, "schedules": None, "paused": known.paused}
    schedules = entry.get("schedules") or []
    chosen = [each | former.get(each.get("slug", ""), {}) for each in schedules]
    return {**entry, "schedules": chosen or None}


def _chosen(made: Entry, standing: Deployed) -> Entry:
    known = standing.get(_key(made))
    return {**made, "parameters": made["parameters"] | (known.parameters if known else {})}


def _moving(former: DeploymentResponse | None) -> dict[str, Entry]:
    """Return what a person chose for the schedules that have a deployment of their own now."""
    return {
        each.slug: {
            "cron": each.schedule.cron,
            "timezone": each.schedule.timezone,
            "active": each.active,
        }
        for each in (former.schedules if former else [])
        if each.slug and isinstance(each.schedule, CronSchedule)
    }


def _clear(client: SyncPrefectClient, former: DeploymentResponse | None) -> None:
    """Remove the schedules that moved to deployments of their own."""
    moved = {*map(_slug, backfills.names())}
    for each in former.schedules if former else []:
        if each.id and each.slug in moved and former:
            client.delete_deployment_schedule(former.id, each.id)


def _move(client: SyncPrefectClient, found: Deployed) -> None:
    """Give the schedules of what was renamed to what it is now, and remove it."""
    made = _deployed(client) if RENAMED.keys() & found.keys() else {}
    for key in RENAMED.keys() & found.keys():
        former, new = found[key], made[key[0], RENAMED[key]]
        for each in new.schedules:
            if each.id:
                client.delete_deployment_schedule(new.id, each.id)
        client.create_deployment_schedules(new.id, [_copy(each) for each in former.schedules])
        client.delete_deployment(former.id)
        print(f"{former.name} of {key[0]} is {new.name} now: the former deployment was removed.")


def _copy(schedule: DeploymentSchedule) -> DeploymentScheduleCreate:
    said = schedule.model_dump(include={*DeploymentScheduleCreate.model_fields})
    return DeploymentScheduleCreate.model_validate(said)


def _deployed(client: SyncPrefectClient) -> Deployed:
    found: list[DeploymentResponse] = []
    while page := client.read_deployments(limit=PAGE, offset=len(found)):
        found += page
    return {(str(each.entrypoint), each.name): each for each in found}


def _deploy(file: Entry) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as made:
        yaml.safe_dump(file, made, sort_keys=False, allow_unicode=True)
        made.flush()
        command = ("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", made.name)
        return subprocess.run([sys.executable, "-m", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
