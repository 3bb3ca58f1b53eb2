import orjson
import pytest
from emulator_hand import Hand, lines

HOUR = 3600


def states(hand: Hand, name: str) -> list[str]:
    return [
        event["kind"].removeprefix("job_")
        for event in hand.own("events")["events"]
        if event["kind"].startswith("job_") and event["batch"] == name.removeprefix("batches/")
    ]


def test_a_new_job_may_be_listed_late(hand: Hand) -> None:
    hand.fault("listing_lag", times=1, listed_after=30)
    name = hand.job(lines(1))
    before = hand.get("batches").json()

    hand.switch("clock", advance_seconds=31)

    assert before == {}
    assert hand.get(name).status_code == 200
    assert [op["name"] for op in hand.get("batches").json()["operations"]] == [name]


def test_a_job_may_succeed_before_its_output_is_there(hand: Hand) -> None:
    hand.fault("output_late", times=1, output_after=60)
    name = hand.job(lines(1))
    early = hand.wait(name)
    file = f"files/batch-{name.removeprefix('batches/')}"
    missing = hand.get(f"{file}:download?alt=media").status_code

    hand.switch("clock", advance_seconds=61)

    assert early["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert "output" not in early["metadata"]
    assert "response" not in early
    assert missing == 404
    assert hand.get(name).json()["metadata"]["output"] == {"responsesFile": file}


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_stuck_job_stays_until_it_expires(hand: Hand, state: str) -> None:
    hand.fault(f"stuck_{state.lower()}", times=1)
    name = hand.job(lines(1))
    hand.wait(name, f"BATCH_STATE_{state}")
    hand.switch("clock", advance_seconds=47 * HOUR)
    stuck = hand.wait(name, f"BATCH_STATE_{state}")

    hand.switch("clock", advance_seconds=2 * HOUR)

    assert stuck["metadata"]["state"] == f"BATCH_STATE_{state}"
    assert hand.wait(name)["metadata"]["state"] == "BATCH_STATE_EXPIRED"


def test_one_job_may_be_slower_than_the_others(hand: Hand) -> None:
    hand.fault("slow_job", match={"display_name": "slow"}, run_seconds=1000)
    slow = hand.job(lines(1), "a slow one")
    quick = hand.job(lines(1), "a quick one")

    hand.wait(quick)

    assert "done" not in hand.get(slow).json()
    hand.switch("clock", advance_seconds=1000)
    assert hand.wait(slow)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def test_a_job_may_fail_with_a_code_and_a_message(hand: Hand) -> None:
    hand.fault("failed", code=8, message="Quota exhausted.")

    job = hand.wait(hand.job(lines(1)))

    assert job["metadata"]["state"] == "BATCH_STATE_FAILED"
    assert job["error"] == {"code": 8, "message": "Quota exhausted."}
    assert hand.own("bill")["totals"]["requests"] == 0


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_a_job_may_end_without_results(hand: Hand, state: str) -> None:
    hand.fault(state)

    job = hand.wait(hand.job(lines(1)))

    assert job["metadata"]["state"] == f"BATCH_STATE_{state.upper()}"
    assert "output" not in job["metadata"]


def test_an_input_file_may_expire_while_its_job_waits(hand: Hand) -> None:
    hand.fault("input_expired")
    file = hand.upload(lines(1))
    name = hand.create(file).json()["name"]

    job = hand.wait(name)

    assert job["metadata"]["state"] == "BATCH_STATE_FAILED"
    assert "expired" in job["error"]["message"]
    assert hand.get(file).status_code == 403


def test_a_job_may_end_in_a_state_the_sdk_never_takes_for_an_end(hand: Hand) -> None:
    hand.fault("partially_succeeded")
    name = hand.job(lines(2))

    hand.wait(name)

    client = hand.sdk()
    with pytest.warns(UserWarning, match="PARTIALLY_SUCCEEDED"):
        job = client.batches.get(name=name)
    assert job.done is False
    assert len(hand.raw_output(name).splitlines()) == 2


def test_a_job_may_show_an_unknown_state_until_it_ends(hand: Hand) -> None:
    hand.fault("unknown_state", shown="CONTEMPLATING")
    hand.switch("settings", run_seconds=0.5)
    name = hand.job(lines(1))

    shown = hand.get(name).json()["metadata"]["state"]

    assert shown == "BATCH_STATE_CONTEMPLATING"
    assert hand.wait(name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def test_lines_may_come_in_any_order(hand: Hand) -> None:
    plain = [one["key"] for one in hand.output(lines(800))]
    hand.fault("shuffled_lines")

    shuffled = [one["key"] for one in hand.output(lines(800))]

    assert plain == [f"k{i}" for i in range(800)]
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)
    assert sum(int(key[1:]) < 400 for key in shuffled[:400]) < 300


def test_a_job_tells_its_way_in_events(hand: Hand) -> None:
    name = hand.job(lines(1))

    hand.wait(name)

    assert states(hand, name) == ["created", "running", "succeeded"]


def test_what_was_answered_in_a_job_that_failed_is_not_billed(hand: Hand) -> None:
    hand.fault("failed", times=1)
    hand.wait(hand.job(lines(2)))

    hand.wait(hand.job(lines(2)))

    assert hand.own("keys", min=1)["keys"] == {"k0": 1, "k1": 1}
    assert orjson.dumps(hand.own("keys", min=2)["keys"]) == b"{}"
