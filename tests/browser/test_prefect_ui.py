"""The operator's day in the Prefect UI, by a browser: start, look, approve, cancel."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deployments.local.stack import Stack
from tasks.adapters.postgres import connect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.long
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
SETTLE_MS = 2500  # the UI's pictures move into place
TITLES = {"qc": "QC: ", "sample": "Sample: ", "try": "Try: ", "explain": "Why "}
PARTS = "html, pre, table, *:has(> table)"
BEYOND = "e => e.scrollWidth - e.clientWidth"
UIS = ("v2", "v1")  # the one that a browser gets which chose none, and the other one


def deployment(api: httpx.Client, name: str) -> str:
    return str(api.get(f"/deployments/name/{name}").raise_for_status().json()["id"])


def start(api: httpx.Client, name: str, **parameters: Any) -> str:
    path = f"/deployments/{deployment(api, name)}/create_flow_run"
    return str(api.post(path, json={"parameters": parameters}).raise_for_status().json()["id"])


def until(api: httpx.Client, run: str, *names: str) -> dict[str, Any]:
    """Return a run's state once it has one of these names, or has ended."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        state: dict[str, Any] = api.get(f"/flow_runs/{run}").json()["state"]
        if state["name"] in names or state["type"] in ENDED:
            return state
        time.sleep(0.3)
    raise TimeoutError(run)


def latest_run(api: httpx.Client, deployment_id: str) -> dict[str, Any]:
    wanted = {"deployments": {"id": {"any_": [deployment_id]}}, "sort": "EXPECTED_START_TIME_DESC"}
    found: dict[str, Any] = api.post("/flow_runs/filter", json=wanted).json()[0]
    return found


def picture(page: "Page", path: Path) -> None:
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=path)
    assert path.stat().st_size < 250_000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "too wide"


def choose(page: "Page", run: str, item: str) -> None:
    """Choose from the menu of a run's page."""
    page.goto(f"runs/flow-run/{run}")
    page.get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name=item).click()


def in_flight(stack: Stack) -> bool:
    with connect(stack.environment()["BACKFILL_DATABASE_URL"]) as connection:
        flying = connection.execute("select 1 from backfill.slices where state = 'submitted'")
        return flying.fetchone() is not None


def open_artifact(page: "Page", run: str, name: str) -> None:
    page.goto(f"runs/flow-run/{run}")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text(name, exact=True).first.click()
    page.wait_for_url("**/artifacts/artifact/**")


def test_a_pilot_started_from_the_form_shows_its_quality(
    page: "Page", api: httpx.Client, pictures: Path
) -> None:
    pilot = deployment(api, "backfill/pilot")
    page.goto(f"deployments/deployment/{pilot}")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Custom run").click()
    limit = page.locator("input[type=number]").first
    limit.wait_for()

    limit.fill("60")
    picture(page, pictures / "run-form.png")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**?tab=Runs")
    run = latest_run(api, pilot)
    state = until(api, run["id"])

    assert run["parameters"]["limit"] == 60
    assert state["type"] == "COMPLETED", state
    assert "60 targets: " in state["message"]
    page.goto(f"runs/flow-run/{run['id']}")
    page.get_by_role("tab", name="Artifacts").wait_for()
    page.wait_for_timeout(2 * SETTLE_MS)
    picture(page, pictures / "finished-run.png")
    open_artifact(page, run["id"], "passage-concepts-qc")
    page.get_by_role("heading", name="Gates: passed").wait_for()
    picture(page, pictures / "qc-report.png")
    page.get_by_role("heading", name="How quotes were found").evaluate("it => it.scrollIntoView()")
    picture(page, pictures / "qc-charts.png")
    open_artifact(page, run["id"], "passage-concepts-sample")
    page.locator("strong").nth(20).wait_for()
    picture(page, pictures / "sample.png")


def test_a_suspended_full_run_goes_on_after_its_form(
    page: "Page", api: httpx.Client, pictures: Path
) -> None:
    run = start(api, "backfill/full", slice_size=100, limit=100)
    assert until(api, run, "Suspended")["name"] == "Suspended"

    choose(page, run, "Resume")
    form = page.get_by_role("dialog")
    form.get_by_text("100 targets in 1 batch jobs").wait_for()
    picture(page, pictures / "approval.png")
    form.locator("input[type=number]").first.fill("1.5")
    form.get_by_role("button", name="Resume").click()

    assert until(api, run, "Completed")["type"] == "COMPLETED"


@pytest.mark.parametrize("ui", UIS)
def test_a_schedule_is_switched_on_in_either_ui_and_keeps_its_parameters(
    ui: str, enter: Callable[[str], "Page"], api: httpx.Client, pictures: Path
) -> None:
    def songs() -> tuple[dict[str, Any], dict[str, Any]]:
        found = api.get("/deployments/name/backfill/incremental-songs").raise_for_status().json()
        [schedule] = found["schedules"]
        return found, schedule

    before, schedule = songs()
    page = enter(ui)
    page.goto("deployments")
    page.get_by_text("Schedules").first.wait_for()
    picture(page, pictures / f"deployments-{ui}.png")
    page.goto(f"deployments/deployment/{before['id']}")
    page.get_by_role("switch").first.click()
    picture(page, pictures / f"schedule-{ui}.png")
    after, switched = songs()
    page.get_by_role("switch").first.click()
    page.wait_for_timeout(SETTLE_MS)
    _, off = songs()

    assert (schedule["active"], switched["active"], off["active"]) == (False, True, False)
    assert after["parameters"] == before["parameters"]
    assert after["parameters"]["name"] == "songs"
    assert switched["parameters"] == {}  # so that a run has those of the deployment
    assert switched["schedule"]["cron"] == schedule["schedule"]["cron"]


def test_a_run_is_cancelled_from_its_page(
    page: "Page", api: httpx.Client, with_passages: Stack, pictures: Path
) -> None:
    settings = f"{with_passages.emulator.url}/_emulator/settings"
    httpx.post(settings, json={"run_seconds": 3600.0}, trust_env=False).raise_for_status()
    run = start(api, "backfill/full", slice_size=50, approve_up_to_usd=1.0)
    until(api, run, "Running")
    while not in_flight(with_passages):
        time.sleep(0.3)

    choose(page, run, "Cancel")
    sure = page.get_by_role("alertdialog")
    sure.wait_for()
    picture(page, pictures / "cancel.png")
    sure.get_by_role("button", name="Cancel Flow Run").click()

    assert until(api, run, "Cancelled")["type"] == "CANCELLED"
    page.goto(f"runs/flow-run/{run}")
    page.get_by_text("Cancelled", exact=True).first.wait_for()
    mine = {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200}
    said = [line["message"] for line in api.post("/logs/filter", json=mine).json()]
    assert [each for each in said if each.startswith("It was stopped; run again to go on")]


def test_pages_are_read_at_800_pixels_without_scrolling_sideways_in_either_ui(
    enter: Callable[[str], "Page"], api: httpx.Client, pictures: Path
) -> None:
    def latest(key: str) -> dict[str, Any]:
        wanted = {"artifacts": {"key": {"any_": [f"passage-concepts-{key}"]}}}
        [found] = api.post("/artifacts/latest/filter", json=wanted).raise_for_status().json()
        return dict(found)

    tried = start(api, "try/rows", prompt="Name the concepts of the text.", count=2)
    assert until(api, tried)["name"] == "Tried"
    [row, *_] = re.findall(r"(?m)^`(.*)`$", latest("try")["data"])
    explained = start(api, "explain/row", target_id=row)
    assert until(api, explained)["name"] == "Explained"

    for ui in UIS:
        page = enter(ui)
        for key, title in TITLES.items():
            page.goto(f"artifacts/artifact/{latest(key)['latest_id']}")
            page.get_by_role("heading", name=title).first.wait_for()
            for width in (800, 1400):
                page.set_viewport_size({"width": width, "height": 1100})
                page.wait_for_timeout(SETTLE_MS / 2)
                page.screenshot(path=pictures / f"{key}-{ui}-{width}.png")
                assert [
                    each for each in page.locator(PARTS).all() if each.evaluate(BEYOND) > 1
                ] == []
