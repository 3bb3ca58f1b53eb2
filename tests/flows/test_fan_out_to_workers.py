"""Slices as runs of their own deployment, which any worker of the pool takes."""

import pytest
from driving import Driver

from deployments.local.stack import Stack

TRIES = "select min(tries) as least from backfill.slices where state = 'done'"
ASKED_AT_ONCE = """
select generations.target_id
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.transport = 'interactive'
"""


@pytest.fixture(scope="module")
def driver(stack: Stack) -> Driver:
    return Driver(stack, 40)


@pytest.fixture(autouse=True)
def _clean(driver: Driver) -> None:
    driver.wipe()


def run(driver: Driver, **parameters: object) -> dict:
    # Each round of asking again would start processes of its own.
    driver.emulator.post("/settings", json={"trouble": 0.0}).raise_for_status()
    state, _ = driver.run(
        "backfill/full",
        approve_up_to_usd=5,
        slice_size=20,
        transport="batch",
        without_pilot=True,
        **parameters,
    )
    return state


@pytest.mark.long  # 2 min 13 s of the one stack that the tests of flows share
@pytest.mark.timeout(300)
def test_slices_sent_to_workers_write_the_same_rows_at_the_same_bill(driver: Driver) -> None:
    here = run(driver)
    expected, first = driver.rows(), driver.one(ASKED_AT_ONCE)["target_id"]
    driver.wipe()

    there = run(driver, fan_out="workers")

    # Each run asked one row of its choice before all others, at once: it has other words.
    apart = {first, driver.one(ASKED_AT_ONCE)["target_id"]}
    both = [
        [each for each in rows if str(each["passage_id"]) not in apart]
        for rows in (expected, driver.rows())
    ]

    assert [here["type"], there["type"]] == ["COMPLETED", "COMPLETED"], there["message"]
    assert both[0] == both[1] != []
    assert driver.one(TRIES) == {"least": 1}
    assert driver.paid_twice() == {}
