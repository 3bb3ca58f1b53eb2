import threading
import time

import pytest
from emulator_hand import MODEL, Hand, line, lines, request


def test_a_key_answered_in_two_jobs_is_found(hand: Hand) -> None:
    hand.wait(hand.job(lines(3)))
    hand.wait(hand.job([line("k1"), line("new")]))

    twice = hand.own("keys", min=2)

    assert twice == {"count": 1, "keys": {"k1": 2}}
    assert hand.own("keys/k1")["billed"] == 2


def test_an_answer_that_was_spoiled_may_be_asked_again(hand: Hand) -> None:
    hand.fault("truncated", times=1)
    for _ in range(2):
        hand.wait(hand.job([line("k0")]))

    asks = hand.own("keys/k0")["asks"]

    assert [(ask["answered"], ask["billed"]) for ask in asks] == [(False, False), (True, True)]
    assert hand.own("keys", min=2)["count"] == 0


def test_a_running_job_is_not_billed_yet(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60)
    hand.job(lines(1))

    assert hand.own("bill")["totals"]["requests"] == 0
    assert hand.own("keys", min=1)["count"] == 0


def test_the_bill_adds_up_what_the_answers_say(hand: Hand) -> None:
    output = hand.output(lines(5))

    bill = hand.own("bill")["batch"][MODEL]

    usages = [one["response"]["usageMetadata"] for one in output]
    assert bill["requests"] == bill["answered"] == 5
    assert bill["input_tokens"] == sum(usage["promptTokenCount"] for usage in usages)
    assert bill["output_tokens"] == sum(usage["candidatesTokenCount"] for usage in usages)


def test_online_requests_are_billed_and_counted_by_text(hand: Hand) -> None:
    for _ in range(2):
        hand.post(f"models/{MODEL}:generateContent", request())

    bill, twice = hand.own("bill"), hand.own("keys", min=2)

    assert bill["online"][MODEL]["requests"] == 2
    assert [(key[:5], times) for key, times in twice["keys"].items()] == [("text:", 2)]


def test_the_requests_seen_for_a_key_keep_their_system_instruction(hand: Hand) -> None:
    file = hand.upload(lines(3))
    hand.wait(hand.create(file).json()["name"])
    hand.delete(file)

    [seen] = hand.own("requests/k1")["requests"]

    assert seen["request"] == line("k1")["request"]
    assert seen["request"]["systemInstruction"] == {"parts": [{"text": "Name the concepts."}]}


def test_the_body_of_a_create_call_is_kept_as_it_came(hand: Hand) -> None:
    file = hand.upload(lines(1))
    name = hand.create(file, "mine").json()["name"]

    body = hand.own(f"{name}/create")

    assert body == {"batch": {"displayName": "mine", "inputConfig": {"fileName": file}}}


def test_calls_are_counted_by_method(hand: Hand) -> None:
    hand.wait(hand.job(lines(1)))
    hand.get("files")

    calls = hand.own("calls")

    assert calls["files.upload"] == calls["files.chunk"] == calls["files.list"] == 1
    assert calls["batches.create"] == 1
    assert calls["batches.get"] >= 1


def test_events_come_in_order_and_can_be_read_on_from_a_number(hand: Hand) -> None:
    hand.raw_output(hand.job(lines(1)))

    events = hand.own("events")["events"]

    kinds = [event["kind"] for event in events if event["kind"] != "poll"]
    assert kinds[:3] == ["upload_started", "upload_finished", "job_created"]
    assert kinds[3:] == [
        "job_running",
        "job_succeeded",
        "download_started",
        "download_finished",
    ]
    assert hand.own("events", after=events[2]["seq"])["events"] == events[3:]


def test_waiting_for_an_event_ends_when_it_comes(hand: Hand) -> None:
    later = threading.Timer(0.3, hand.upload, [b"{}"])
    later.start()
    started = time.monotonic()

    [first, *_] = hand.own("events", wait_seconds=10)["events"]

    later.join()
    assert first["kind"] == "upload_started"
    assert 0.2 < time.monotonic() - started < 5


def test_waiting_for_an_event_that_does_not_come_ends_in_time(hand: Hand) -> None:
    assert hand.own("events", wait_seconds=0.2)["events"] == []


def test_the_overview_describes_every_fault(hand: Hand) -> None:
    overview = hand.own("")

    assert len(overview["faults"]) > 50
    assert all(kind["about"] for kind in overview["faults"].values())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "no such fault"}),
        ("settings", {"no such setting": 1}),
        ("clock", {}),
        ("trouble", {"share": "much"}),
        ("faults", []),
    ],
)
def test_a_mistake_at_the_switches_answers_400_with_a_sentence(
    hand: Hand, path: str, body: object
) -> None:
    answer = hand.http.post(f"/_emulator/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_reset_forgets_everything(hand: Hand) -> None:
    hand.raw_output(hand.job(lines(1)))
    hand.fault("drop")
    hand.switch("clock", advance_seconds=5)

    hand.switch("reset")

    assert hand.get("files").json() == hand.get("batches").json() == {}
    assert hand.own("faults")["faults"] == []
    assert hand.own("keys", min=1)["count"] == 0
    assert hand.own("clock")["offset_seconds"] == 0
