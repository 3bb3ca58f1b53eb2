import time

import httpx
import pytest
from emulator_hand import MODEL, Hand, line, lines, request
from google.genai import errors

GENERATE = f"models/{MODEL}:generateContent"


def listed(hand: Hand) -> list[str]:
    return [op["metadata"]["displayName"] for op in hand.get("batches").json()["operations"]]


@pytest.mark.parametrize(
    ("fault", "code"), [("error_429", 429), ("error_500", 500), ("error_503", 503)]
)
def test_a_burst_of_errors_is_as_long_as_was_said(hand: Hand, fault: str, code: int) -> None:
    hand.fault(fault, times=2, match={"method": "batches.list"})

    codes = [hand.get("batches").status_code for _ in range(3)]

    assert codes == [code, code, 200]
    assert hand.get("files").status_code == 200


def test_an_error_has_the_code_and_the_message_that_were_asked_for(hand: Hand) -> None:
    hand.fault("error", code=418, message="I am a teapot.")

    answer = hand.get("files")

    assert (answer.status_code, answer.json()["error"]["message"]) == (418, "I am a teapot.")


def test_a_share_of_the_calls_may_fail(hand: Hand) -> None:
    hand.fault("error_503", share=0.5, match={"method": "files.list"})

    codes = [hand.get("files").status_code for _ in range(60)]

    assert 5 < codes.count(503) < 55


def test_a_proxy_may_answer_with_a_page(hand: Hand) -> None:
    hand.fault("html_error", times=1)

    answer = hand.get("files")

    assert answer.status_code == 502
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("fault", ["slow", "slow_after"])
def test_a_slow_call_answers_late(hand: Hand, fault: str) -> None:
    hand.fault(fault, times=1, seconds=0.3)
    started = time.monotonic()

    answer = hand.get("files")

    assert answer.status_code == 200
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize("fault", ["drop", "drop_after"])
def test_a_dropped_call_has_no_answer(hand: Hand, fault: str) -> None:
    hand.fault(fault, times=1)

    with pytest.raises(httpx.TransportError):
        hand.get("files")


@pytest.mark.parametrize(
    ("fault", "caught"),
    [
        ("create_then_drop", httpx.TransportError),
        ("create_then_timeout", httpx.ReadTimeout),
        ("create_then_503", httpx.HTTPStatusError),
    ],
)
def test_a_job_is_there_though_its_creation_seemed_to_fail(
    hand: Hand, fault: str, caught: type[Exception]
) -> None:
    file = hand.upload(lines(1))
    hand.fault(fault, times=1)
    hand.http.timeout = httpx.Timeout(1.0)

    with pytest.raises(caught):
        hand.create(file, "ambiguous").raise_for_status()

    assert listed(hand) == ["ambiguous"]


def test_a_slow_create_has_no_job_before_its_time(hand: Hand) -> None:
    file = hand.upload(lines(1))
    hand.fault("create_slow", times=1, seconds=1)
    hand.http.timeout = httpx.Timeout(0.2)

    with pytest.raises(httpx.ReadTimeout):
        hand.create(file, "slow")

    assert hand.get("batches").json() == {}


def test_the_quota_of_creates_lasts_until_it_is_cleared(hand: Hand) -> None:
    file = hand.upload(lines(1))
    hand.fault("create_quota")

    refused = [hand.create(file) for _ in range(2)]

    hand.http.delete("/_emulator/faults")
    assert [one.status_code for one in refused] == [429, 429]
    assert [d["@type"].split(".")[-1] for d in refused[0].json()["error"]["details"]] == ["Help"]
    assert hand.create(file).status_code == 200


def test_a_tier_limit_refuses_what_is_too_large(hand: Hand) -> None:
    hand.fault("tier_limit", tokens=200)

    codes = [hand.create(hand.upload(lines(count))).status_code for count in (1, 20)]

    assert codes == [200, 429]


def test_a_chunk_may_meet_an_empty_503_without_the_upload_header(hand: Hand) -> None:
    hand.fault("upload_503", times=1)
    url = hand.start_upload(2)

    first = hand.send(url, b"{}")
    second = hand.send(url, b"{}")

    assert (first.status_code, first.content) == (503, b"")
    assert "x-goog-upload-status" not in first.headers
    assert second.headers["x-goog-upload-status"] == "final"


def test_a_dropped_upload_can_go_on_from_its_last_chunk(hand: Hand) -> None:
    content = b'"' + b"x" * 3_000_000 + b'"'
    url = hand.start_upload(len(content))
    hand.fault("upload_dropped", times=1)

    with pytest.raises(httpx.TransportError):
        hand.send(url, content)

    assert hand.get("files").json() == {}
    assert hand.send(url, content).json()["file"]["sizeBytes"] == str(len(content))


def test_storage_may_be_full_by_decree(hand: Hand) -> None:
    hand.fault("storage_full")

    with pytest.raises(httpx.HTTPStatusError, match="429"):
        hand.start_upload(1)


def test_a_truncated_download_ends_midway(hand: Hand) -> None:
    whole = hand.raw_output(name := hand.job(lines(2000)))
    hand.fault("truncated_download", times=1)

    with pytest.raises(httpx.TransportError):
        hand.raw_output(name)

    assert hand.raw_output(name) == whole


def test_a_slow_download_pauses_midway_and_arrives_whole(hand: Hand) -> None:
    whole = hand.raw_output(name := hand.job(lines(100)))
    hand.fault("slow_download", times=1, seconds=0.4)
    started = time.monotonic()

    again = hand.raw_output(name)

    assert again == whole
    assert time.monotonic() - started > 0.4


def test_a_pause_holds_the_reply_after_the_job_is_committed(hand: Hand) -> None:
    file = hand.upload(lines(1))
    hand.fault("pause", times=1, match={"event": "job_created"}, seconds=20)
    hand.http.timeout = httpx.Timeout(0.5)

    with pytest.raises(httpx.ReadTimeout):
        hand.create(file, "held")

    assert "job_created" in [event["kind"] for event in hand.own("events")["events"]]
    assert listed(hand) == ["held"]


def test_a_model_may_be_shut_down(hand: Hand) -> None:
    hand.fault("model_shut_down", match={"model": MODEL})

    answers = [hand.post(GENERATE, request()), hand.create(hand.upload(lines(1)))]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "no longer available" in answers[0].json()["error"]["message"]


def test_one_rejected_line_refuses_the_whole_file(hand: Hand) -> None:
    hand.fault("rejected_line", match={"text": 'a "poisonous" line'})
    file = hand.upload([line("good"), line("bad", 'here is a "poisonous" line'), line("fine")])

    refused = hand.create(file)

    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("Error on line 2: ")
    assert "Error on line 1" not in refused.json()["error"]["message"]
    assert hand.create(hand.upload([line("good"), line("fine")])).status_code == 200


def test_the_sdk_sees_a_fault_as_its_own_error(hand: Hand) -> None:
    hand.fault("error_503", times=1)
    client = hand.sdk()

    with pytest.raises(errors.ServerError, match="overloaded"):
        client.models.generate_content(model=MODEL, contents="hi")
