"""The main job through real deployments: worker, Prefect server, Postgres, emulator, SDK."""

import pytest
from driving import SQL, Driver

from deployments.local.stack import Stack

SIZE = 400
ENDS = """
select
    (select count(*) from passages) as passages,
    count(*) filter (where state in ('written', 'empty', 'bad', 'skipped')) as ended,
    count(*) filter (where state = 'planned') as planned,
    count(*) filter (where state in ('written', 'empty')) as answered
from backfill.generations
"""
CHECKPOINT = "select status, items_processed from kb_migrations"


@pytest.fixture(scope="module")
def driver(stack: Stack) -> Driver:
    return Driver(stack, SIZE)


@pytest.fixture(autouse=True)
def _clean(driver: Driver) -> None:
    driver.wipe()


def undisturbed(driver: Driver) -> list[dict]:
    pilot, _ = driver.run("backfill/pilot", limit=100)
    full, _ = driver.run("backfill/full", approve_up_to_usd=5, slice_size=100)
    assert [pilot["type"], full["type"]] == ["COMPLETED", "COMPLETED"], (
        pilot["message"],
        full["message"],
    )
    return driver.rows()


def test_every_passage_ends_once_and_a_second_run_has_nothing_to_do(driver: Driver) -> None:
    legacy = driver.legacy()

    rows = undisturbed(driver)

    ends = driver.one(ENDS)
    with driver.database() as connection:
        [offsets] = connection.execute(SQL["false_offsets"]).fetchall()
    supported = sum('"support": []' not in row["evidence"] for row in rows)
    assert ends["passages"] == ends["ended"]
    assert ends["planned"] == 0
    assert offsets == {"false_offsets": 0}
    assert supported / len(rows) >= 0.99
    assert legacy == driver.legacy()
    assert driver.one(CHECKPOINT) == {
        "status": "completed",
        "items_processed": ends["answered"],
    }
    assert driver.paid_twice() == {}

    created = driver.emulator.get("/calls").json()["batches.create"]
    state, _ = driver.run("backfill/full", approve_up_to_usd=5)
    assert state["message"] == "Nothing to do."
    assert created == driver.emulator.get("/calls").json()["batches.create"]


@pytest.mark.timeout(500)
@pytest.mark.long
def test_a_flow_killed_between_submission_and_result_pays_once(driver: Driver) -> None:
    expected = undisturbed(driver)
    driver.wipe()
    driver.run("backfill/pilot", limit=100)
    slow = {"kind": "slow_job", "params": {"run_seconds": 6}}
    driver.emulator.post("/faults", json=slow).raise_for_status()
    last = driver.emulator.get("/events").json()["events"][-1]["seq"]
    driver.start("backfill/full", approve_up_to_usd=5, slice_size=100)
    driver.wait_for_event("job_created", after=last)

    driver.kill_flow()
    driver.emulator.delete("/faults").raise_for_status()
    state, _ = driver.run("backfill/full", approve_up_to_usd=5, slice_size=100)

    assert state["type"] == "COMPLETED", state
    assert expected == driver.rows()
    assert driver.paid_twice() == {}


@pytest.mark.long
def test_above_the_approval_a_run_waits_and_sends_nothing(driver: Driver) -> None:
    driver.run("backfill/pilot", limit=50)
    created = driver.emulator.get("/calls").json()["batches.create"]

    state, _ = driver.run("backfill/full", approve_up_to_usd=0)

    assert state["name"] == "Suspended"
    assert created == driver.emulator.get("/calls").json()["batches.create"]


@pytest.mark.long
def test_the_cap_ends_the_run_with_finished_slices_kept(driver: Driver) -> None:
    driver.run("backfill/pilot", limit=100)
    with driver.database() as connection:
        connection.execute("update backfill.slices set output_tokens = output_tokens / 100")

    state, _ = driver.run("backfill/full", approve_up_to_usd=0.06, slice_size=50, slices_at_once=1)

    assert state["name"] == "BudgetReached", state
    ends = driver.one(ENDS)
    assert ends["planned"] > 0
    assert ends["answered"] > 100
