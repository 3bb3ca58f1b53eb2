"""What is deployed: every entrypoint imports, every parameter fits its form."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint

from deployments.deploy import RENAMED, wanted
from tasks import backfills

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = wanted(FILE, {})["deployments"]


def flow_of(deployment: dict[str, Any]) -> Flow:
    path, _, name = deployment["entrypoint"].partition(":")
    return load_flow_from_entrypoint(f"{ROOT / path}:{name}" if name else path)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_every_deployments_parameters_are_valid(deployment: dict[str, Any]) -> None:
    flow = flow_of(deployment)

    flow.validate_parameters(deployment.get("parameters", {}))

    for schedule in deployment.get("schedules") or []:
        flow.validate_parameters(
            {**deployment.get("parameters", {}), **schedule.get("parameters", {})}
        )


def test_every_run_that_a_person_starts_ends_with_its_own_sentence_where_it_cannot_go_on() -> None:
    bare = [each for each in DEPLOYMENTS if not hasattr(flow_of(each).fn, "__wrapped__")]

    assert [each["name"] for each in bare] == ["slice"]


def test_the_form_offers_every_backfill_in_a_drop_down() -> None:
    [full] = [each for each in DEPLOYMENTS if each["name"] == "full" and "backfill" in each["tags"]]

    schema = flow_of(full).parameters.model_dump()

    assert schema["properties"]["name"]["enum"] == [*backfills.names()]


def test_every_field_of_the_form_explains_itself() -> None:
    [full] = [each for each in DEPLOYMENTS if each["name"] == "full" and "backfill" in each["tags"]]

    schema = flow_of(full).parameters.model_dump()

    silent = [name for name, field in schema["properties"].items() if not field.get("description")]
    assert silent == []


def test_the_first_of_those_that_ask_is_the_main_one_as_the_ui_sorts_them() -> None:
    asking = sorted(each["name"] for each in DEPLOYMENTS if "backfill" in each["tags"])

    assert asking[0] == "full"


def test_no_name_stands_for_two_deployments() -> None:
    names = [each["name"] for each in DEPLOYMENTS]

    assert sorted(names) == sorted({*names})
    assert {*RENAMED.values()} <= {*names}


def test_no_schedule_is_active_until_somebody_says_so() -> None:
    active = [
        schedule
        for each in DEPLOYMENTS
        for schedule in each.get("schedules") or []
        if schedule.get("active", True)
    ]

    assert active == []


def test_no_flow_file_is_named_like_a_module_of_the_standard_library() -> None:
    names = [path.stem for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__"]

    shadowing = [name for name in names if importlib.util.find_spec(name) is not None]

    assert [name for name in shadowing if "flows" not in str(importlib.util.find_spec(name))] == []
