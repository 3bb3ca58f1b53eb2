import re

import orjson
import pytest
from emulator_hand import MODEL, Hand, line, lines, request

INLINE = {"requests": {"requests": [{"request": request(), "metadata": {"key": "one"}}]}}


def test_a_new_job_is_pending_with_its_counters_as_strings(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60)
    file = hand.upload(lines(2))

    job = hand.create(file, "my batch").json()

    metadata = job["metadata"]
    assert re.fullmatch("batches/[a-z0-9]{36}", job["name"])
    assert "done" not in job
    assert metadata["state"] == "BATCH_STATE_PENDING"
    assert metadata["batchStats"] == {"requestCount": "2", "pendingRequestCount": "2"}
    assert metadata["inputConfig"] == {"fileName": file}
    assert (metadata["displayName"], metadata["model"]) == ("my batch", f"models/{MODEL}")


def test_a_finished_job_names_its_output_twice(hand: Hand) -> None:
    job = hand.wait(hand.job(lines(3)))

    output = {"responsesFile": f"files/batch-{job['name'].removeprefix('batches/')}"}
    assert job["done"] is True
    assert job["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert job["metadata"]["output"] == output
    assert job["response"].pop("@type").endswith("GenerateContentBatchOutput")
    assert job["response"] == output
    assert job["metadata"]["batchStats"] == {"requestCount": "3", "successfulRequestCount": "3"}


def test_every_key_is_answered_once(hand: Hand) -> None:
    output = hand.output(lines(700))

    assert sorted(o["key"] for o in output) == sorted(f"k{i}" for i in range(700))


def test_the_same_question_gets_the_same_answer(hand: Hand) -> None:
    first = hand.output(lines(3))
    hand.switch("reset")
    hand.switch("settings", run_seconds=0, trouble=0)

    second = hand.output(lines(3))

    assert first == second


def test_a_create_is_not_idempotent(hand: Hand) -> None:
    file = hand.upload(lines(1))

    names = {hand.create(file, "same").json()["name"] for _ in range(2)}

    assert len(names) == 2


def test_the_input_may_be_deleted_once_the_job_is_created(hand: Hand) -> None:
    hand.switch("settings", run_seconds=0.3)
    file = hand.upload(lines(2))
    job = hand.create(file).json()["name"]

    hand.delete(file)

    assert hand.wait(job)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def test_an_inline_job_answers_inline_with_its_metadata(hand: Hand) -> None:
    body = {"batch": {"displayName": "in", "inputConfig": INLINE}}
    created = hand.post(f"models/{MODEL}:batchGenerateContent", body).json()

    job = hand.wait(created["name"])

    [answer] = job["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
    assert "inputConfig" not in created["metadata"]
    assert answer["metadata"] == {"key": "one"}
    assert answer["response"]["candidates"][0]["finishReason"] == "STOP"


def test_an_inline_job_in_snake_case_is_the_same_job(hand: Hand) -> None:
    body = {"batch": {"display_name": "in", "input_config": INLINE}}

    job = hand.wait(hand.post(f"models/{MODEL}:batchGenerateContent", body).json()["name"])

    assert job["metadata"]["displayName"] == "in"


@pytest.mark.parametrize("source", ["file", "inline"])
def test_an_embedding_job_answers_vectors(hand: Hand, source: str) -> None:
    ask = {"content": {"parts": [{"text": "a text"}]}, "output_dimensionality": 8}
    config = (
        {"file_name": hand.upload([{"key": "k0", "request": ask}])}
        if source == "file"
        else {"requests": {"requests": [{"request": ask}]}}
    )

    created = hand.post(
        "models/gemini-embedding-2:asyncBatchEmbedContent",
        {"batch": {"displayName": "emb", "inputConfig": config}},
    )

    job = hand.wait(created.json()["name"])
    if source == "file":
        answer = orjson.loads(hand.raw_output(job["name"]))
    else:
        [answer] = job["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
    assert len(answer["response"]["embedding"]["values"]) == 8
    assert answer["response"]["tokenCount"] == "2"


def test_jobs_are_listed_newest_first_in_pages(hand: Hand) -> None:
    file = hand.upload(lines(1))
    names = [hand.create(file).json()["name"] for _ in range(3)]

    first = hand.get("batches?pageSize=2").json()
    second = hand.get(f"batches?pageSize=2&pageToken={first['nextPageToken']}").json()

    assert [op["name"] for op in first["operations"] + second["operations"]] == names[::-1]
    assert "nextPageToken" not in second


def test_a_cancelled_job_is_done_with_an_error_and_no_output(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60)
    name = hand.job(lines(2))

    answer = hand.post(f"{name}:cancel")

    job = hand.wait(name)
    assert answer.json() == {}
    assert job["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    assert job["error"]["code"] == 13
    assert "output" not in job["metadata"]


def test_cancelling_a_finished_job_changes_nothing(hand: Hand) -> None:
    name = hand.job(lines(1))
    before = hand.wait(name)

    hand.post(f"{name}:cancel")

    assert hand.get(name).json() == before


def test_a_deleted_job_takes_its_output_with_it(hand: Hand) -> None:
    name = hand.job(lines(1))
    output = hand.wait(name)["metadata"]["output"]["responsesFile"]

    codes = [hand.delete(name).status_code for _ in range(2)]

    assert codes == [200, 404]
    assert hand.get(name).status_code == 404
    assert hand.get(output).status_code == 404
    assert hand.get(f"{output}:download?alt=media").status_code == 404


def test_a_job_that_takes_more_than_48_hours_expires(hand: Hand) -> None:
    hand.switch("settings", run_seconds=49 * 3600)
    name = hand.job(lines(1))

    hand.switch("clock", advance_seconds=48 * 3600 + 1)

    job = hand.wait(name)
    assert job["metadata"]["state"] == "BATCH_STATE_EXPIRED"
    assert "output" not in job["metadata"]


def test_a_slow_job_is_done_when_its_time_has_come(hand: Hand) -> None:
    hand.switch("settings", run_seconds=7200)
    name = hand.job(lines(1))
    waiting = hand.get(name).json()["metadata"]["state"]

    hand.switch("clock", advance_seconds=7200)

    assert waiting == "BATCH_STATE_PENDING"
    assert hand.wait(name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def test_an_unknown_batch_answers_404(hand: Hand) -> None:
    refused = hand.get("batches/nothing")

    assert refused.status_code == 404
    assert refused.json()["error"]["status"] == "NOT_FOUND"


def test_an_unknown_file_answers_403(hand: Hand) -> None:
    refused = hand.create("files/nothing")

    assert refused.status_code == 403
    assert "may not exist" in refused.json()["error"]["message"]


def test_an_unknown_model_answers_404(hand: Hand) -> None:
    refused = hand.create(hand.upload(lines(1)), model="gemini-9")

    assert refused.status_code == 404
    assert "gemini-9" in refused.json()["error"]["message"]


def test_a_model_that_was_shut_down_says_so(hand: Hand) -> None:
    refused = hand.create(hand.upload(lines(1)), model="gemini-2.0-flash")

    assert refused.status_code == 404
    assert "no longer available" in refused.json()["error"]["message"]


def test_a_tier_limits_the_enqueued_tokens_of_all_active_jobs(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60, enqueued_tokens=150)
    file = hand.upload(lines(1))

    codes = [hand.create(file).status_code for _ in range(2)]

    refused = hand.create(file).json()["error"]
    assert codes == [200, 429]
    assert [detail["@type"].split(".")[-1] for detail in refused["details"]] == ["Help"]


def test_a_published_tier_holds_for_its_model(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60, tier=1)
    big = hand.upload([line(f"k{i}", "word " * 20_000) for i in range(125)])

    codes = [hand.create(big, model=m).status_code for m in (MODEL, "gemini-2.5-flash")]

    assert codes == [200, 429]


def test_excess_jobs_wait_in_pending_or_are_refused(hand: Hand) -> None:
    hand.switch("settings", run_seconds=0.0, max_active_jobs=1)
    hand.fault("stuck_running", times=1)
    file = hand.upload(lines(1))
    hand.create(file)
    waiting = hand.create(file).json()["name"]

    hand.switch("settings", refuse_excess_jobs=True)

    assert hand.create(file).status_code == 429
    assert hand.get(waiting).json()["metadata"]["state"] == "BATCH_STATE_PENDING"
