"""What a key's account allows, and what the service does with jobs and errors of its own."""

import pytest
from emulator_hand import MODEL, TEXT, Hand, line, lines, request
from google.genai import errors, types

DAY = 24 * 3600


def created(hand: Hand, count: int = 1) -> types.BatchJob:
    return hand.client.batches.create(model=MODEL, src=hand.upload(lines(count)))


def refused_create(hand: Hand, count: int = 1) -> list[str]:
    """Return the kinds of detail of the 429 that a create answers."""
    with pytest.raises(errors.ClientError) as caught:
        created(hand, count)
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    return [one["@type"].split(".")[-1] for one in caught.value.details["error"]["details"]]


def embeddings_created(hand: Hand) -> types.BatchJob:
    file = hand.upload([{"key": "k", "request": {"content": {"parts": [{"text": "a"}]}}}])
    return hand.create_embeddings("gemini-embedding-001", file)


def test_a_key_without_billing_gets_no_job(hand: Hand) -> None:
    hand.switch("settings", billing=False)

    with pytest.raises(errors.ClientError) as embeddings:
        embeddings_created(hand)

    assert refused_create(hand) == ["Help"]
    assert embeddings.value.code == 429
    assert list(hand.client.batches.list()) == []


def test_a_key_without_billing_asks_online_within_the_free_tier(hand: Hand) -> None:
    hand.switch("settings", billing=False, requests_per_minute=2)

    answers = [hand.ask().text for _ in range(2)]

    details = hand.refusal().details["error"]["details"]
    assert all(answers)
    assert {one["@type"].split(".")[-1] for one in details} == {"Help", "QuotaFailure", "RetryInfo"}


def test_after_some_embedding_jobs_the_next_waits_for_minutes(hand: Hand) -> None:
    hand.switch("settings", embedding_creates=2)
    for _ in range(2):
        embeddings_created(hand)

    with pytest.raises(errors.ClientError) as caught:
        embeddings_created(hand)

    hand.switch("clock", advance_seconds=20 * 60 + 1)
    [detail] = caught.value.details["error"]["details"]
    assert (caught.value.code, detail["@type"].split(".")[-1]) == (429, "Help")
    assert embeddings_created(hand).name


def test_the_quota_of_embedding_jobs_is_theirs_alone(hand: Hand) -> None:
    hand.switch("settings", embedding_creates=0)

    assert created(hand).name


def test_a_job_of_one_line_may_pass_where_a_larger_one_does_not(hand: Hand) -> None:
    hand.fault("line_limit")

    job = created(hand)

    assert refused_create(hand, 2) == ["Help"]
    assert hand.wait(job.name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def test_the_limit_of_lines_is_as_many_as_were_said(hand: Hand) -> None:
    hand.fault("line_limit", lines=5)

    created(hand, 5)

    assert refused_create(hand, 6) == ["Help"]


def test_a_cancelled_job_may_finish_all_the_same_and_be_billed(hand: Hand) -> None:
    hand.switch("settings", run_seconds=0.5)
    hand.fault("cancel_ignored")
    job = created(hand, 3)

    hand.client.batches.cancel(name=job.name)

    assert hand.wait(job.name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert len(hand.raw_output(job.name).splitlines()) == 3
    assert hand.own("bill")["batch"][MODEL]["requests"] == 3
    assert hand.own("keys", min=1)["count"] == 3


def test_the_next_cancel_may_be_heeded_again(hand: Hand) -> None:
    hand.switch("settings", run_seconds=60)
    hand.fault("cancel_ignored", times=1)
    job = created(hand)

    for _ in range(2):
        hand.client.batches.cancel(name=job.name)

    assert hand.wait(job.name)["metadata"]["state"] == "BATCH_STATE_CANCELLED"


@pytest.mark.parametrize(("setting", "days"), [({}, 42), ({"output_days": 3}, 3)])
def test_an_output_is_gone_after_days_though_its_job_succeeded(
    hand: Hand, setting: dict[str, float], days: int
) -> None:
    hand.switch("settings", **setting)
    name = str(created(hand).name)
    hand.wait(name)
    client = hand.client
    file = client.batches.get(name=name).dest.file_name
    hand.switch("clock", advance_seconds=days * DAY - 60)
    before = client.files.download(file=file)

    hand.switch("clock", advance_seconds=120)

    with pytest.raises(errors.ClientError) as caught:
        client.files.download(file=file)
    job = client.batches.get(name=name)
    assert before
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert (job.state, job.dest.file_name) == (types.JobState.JOB_STATE_SUCCEEDED, file)


def test_answers_of_an_inline_job_are_gone_after_days_too(hand: Hand) -> None:
    hand.switch("settings", output_days=3)
    source = [types.InlinedRequest(contents=TEXT, metadata={"key": "k"})]
    name = str(hand.client.batches.create(model=MODEL, src=source).name)
    hand.wait(name)

    hand.switch("clock", advance_seconds=3 * DAY)

    job = hand.client.batches.get(name=name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert not job.dest or not job.dest.inlined_responses


def test_jobs_over_the_limit_sit_in_pending_until_there_is_room(hand: Hand) -> None:
    hand.switch("settings", run_seconds=1000.0, max_active_jobs=2)
    names = [str(created(hand).name) for _ in range(3)]
    hand.switch("clock", advance_seconds=500)
    hand.wait(names[1], "BATCH_STATE_RUNNING")
    last = hand.client.batches.get(name=names[2]).state

    hand.switch("clock", advance_seconds=600)

    assert last == types.JobState.JOB_STATE_PENDING
    assert hand.wait(names[2])["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize("code", STATUS)
def test_an_error_of_any_code_has_its_status_word(hand: Hand, code: int) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "PLANTED"}]
    hand.fault("error", code=code, message="As was asked for.", details=details, times=1)

    with pytest.raises(errors.APIError) as caught:
        hand.ask()

    error = caught.value
    assert (error.code, error.status, error.message) == (code, STATUS[code], "As was asked for.")
    assert error.details["error"]["details"] == details


def test_an_error_may_have_a_status_word_of_its_own(hand: Hand) -> None:
    hand.fault("error", code=400, status="FAILED_PRECONDITION", message="Not here.")

    assert hand.refusal().status == "FAILED_PRECONDITION"


RPC = [
    (1, 499, "CANCELLED"),
    (3, 400, "INVALID_ARGUMENT"),
    (4, 504, "DEADLINE_EXCEEDED"),
    (5, 404, "NOT_FOUND"),
    (7, 403, "PERMISSION_DENIED"),
    (8, 429, "RESOURCE_EXHAUSTED"),
    (9, 400, "FAILED_PRECONDITION"),
    (13, 500, "INTERNAL"),
    (14, 503, "UNAVAILABLE"),
    (16, 401, "UNAUTHENTICATED"),
]


@pytest.mark.parametrize(("code", "http", "status"), RPC)
def test_an_error_line_of_any_code_is_the_fitting_error_online(
    hand: Hand, code: int, http: int, status: str
) -> None:
    hand.fault("error_line", code=code, message="Planted.")

    [output] = hand.answers(MODEL, request())
    with pytest.raises(errors.APIError) as caught:
        hand.ask()

    assert output == {"key": "k0", "error": {"code": code, "message": "Planted."}}
    assert (caught.value.code, caught.value.status) == (http, status)


def test_an_error_line_may_befall_one_key_alone(hand: Hand) -> None:
    hand.fault("error_line", code=8, message="Planted.", match={"key": "k1"})

    output = hand.output([line("k0"), line("k1")])

    assert {one["key"]: one.get("error", {}).get("code") for one in output} == {"k0": None, "k1": 8}
