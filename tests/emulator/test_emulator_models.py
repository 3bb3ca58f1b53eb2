"""Which models there are, who may use them, and which one answers."""

import pytest
from emulator_hand import MODEL, TEXT, Hand, lines, request
from google.genai import errors

CLOSED = "gemini-2.5-flash-lite"
GENERATING = (
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-3-flash-preview",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash-lite",
    "gemini-3.5-flash",
    "gemini-3.6-flash",
    "gemini-3.7-flash",
    "gemini-3.8-flash",
    "gemini-4-hydrogen",
    "gemini-4-argon",
    "gemini-4-neon",
    "gemini-4-carbon",
)
EMBEDDING = ("gemini-embedding-001", "gemini-embedding-2")
NO_LONGER = (
    f"This model models/{CLOSED} is no longer available to new users. "
    "Please update your code to use models/gemini-3.5-flash-lite"
)


def batch_refusal(hand: Hand, model: str, key: str = "a-key") -> errors.ClientError:
    client = hand.sdk(key=key)
    with pytest.raises(errors.ClientError) as caught:
        client.batches.create(model=model, src=hand.upload(lines(1)))
    return caught.value


def test_every_model_of_the_month_is_listed(hand: Hand) -> None:
    listed = {model.name for model in hand.client.models.list()}

    assert listed == {f"models/{name}" for name in (*GENERATING, *EMBEDDING)}


@pytest.mark.parametrize("model", GENERATING)
def test_every_model_answers_an_old_key(hand: Hand, model: str) -> None:
    hand.switch("settings", old_keys=True)

    answer = hand.ask(model)

    assert answer.text
    [output] = hand.answers(model, {"contents": [{"parts": [{"text": TEXT}]}]})
    assert output["response"]["modelVersion"] == answer.model_version


def test_a_closed_model_refuses_a_new_key_online(hand: Hand) -> None:
    refused = hand.refusal(CLOSED)

    assert (refused.code, refused.status) == (404, "NOT_FOUND")
    assert refused.message.startswith(NO_LONGER)


def test_a_closed_model_counts_no_tokens_for_a_new_key(hand: Hand) -> None:
    with pytest.raises(errors.ClientError, match="no longer available to new users"):
        hand.client.models.count_tokens(model=CLOSED, contents="hi")


def test_a_closed_model_refuses_a_new_key_at_the_create(hand: Hand) -> None:
    refused = batch_refusal(hand, CLOSED)

    assert (refused.code, refused.status) == (404, "NOT_FOUND")
    assert refused.message.startswith(NO_LONGER)
    assert list(hand.client.batches.list()) == []


def test_a_closed_model_is_described_and_listed_to_everybody(hand: Hand) -> None:
    client = hand.client

    described = client.models.get(model=CLOSED)

    assert described.name == f"models/{CLOSED}"
    assert "batchGenerateContent" in described.supported_actions
    assert f"models/{CLOSED}" in {model.name for model in client.models.list()}


def test_an_old_key_goes_on_using_a_closed_model(hand: Hand) -> None:
    hand.switch("settings", old_keys=["an-old-key"])
    client = hand.sdk(key="an-old-key")

    answer = client.models.generate_content(model=CLOSED, contents=TEXT)
    job = client.batches.create(model=CLOSED, src=hand.upload(lines(1)))

    assert answer.model_version == CLOSED
    assert hand.wait(job.name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert batch_refusal(hand, CLOSED, "a-new-key").code == 404


def test_any_model_may_be_closed_to_new_users(hand: Hand) -> None:
    hand.fault("no_new_users", match={"model": MODEL})
    hand.switch("settings", old_keys=["an-old-key"])

    refused = [hand.refusal(), batch_refusal(hand, MODEL)]

    client = hand.sdk(key="an-old-key")
    old = client.models.generate_content(model=MODEL, contents=TEXT)
    assert [one.code for one in refused] == [404, 404]
    assert f"models/{MODEL} is no longer available to new users" in refused[0].message
    assert hand.client.models.get(model=MODEL).name == f"models/{MODEL}"
    assert hand.ask("gemini-3.5-flash-lite").text
    assert old.text


ROUTES = [
    ("gemini-2.5-flash", "2026-12-01", "gemini-3.5-flash-lite"),
    ("gemini-2.5-pro", "2026-12-01", "gemini-3.8-flash"),
    ("gemini-3.5-flash", "2026-10-08", "gemini-3.6-flash"),
]


@pytest.mark.parametrize(("model", "day", "successor"), ROUTES)
def test_from_its_day_on_another_model_answers_at_its_rates(
    hand: Hand, model: str, day: str, successor: str
) -> None:
    hand.set_date(day)

    answer = hand.ask(model)

    [output] = hand.answers(model, {"contents": [{"parts": [{"text": TEXT}]}]})
    bill = hand.own("bill")
    assert answer.model_version == output["response"]["modelVersion"] == successor
    assert set(bill["online"]) == set(bill["batch"]) == {successor}
    assert bill["batch"][successor]["requests"] == bill["online"][successor]["requests"] == 1


@pytest.mark.parametrize(("model", "day"), [(m, f"{d[:8]}01") for m, d, _ in ROUTES])
def test_before_its_day_a_model_answers_itself(hand: Hand, model: str, day: str) -> None:
    hand.set_date("2026-11-30" if day == "2026-12-01" else day)

    assert hand.ask(model).model_version == model


def test_a_routed_job_keeps_the_name_that_it_was_made_with(hand: Hand) -> None:
    hand.set_date("2026-12-02")

    job = hand.client.batches.create(model="gemini-2.5-flash", src=hand.upload(lines(1)))

    assert job.model == "models/gemini-2.5-flash"


def test_the_rules_of_the_model_that_answers_hold(hand: Hand) -> None:
    asked = request(thinkingConfig={"thinkingBudget": 0})
    hand.set_date("2026-11-27")
    before = hand.answers("gemini-2.5-flash", asked)

    hand.set_date("2026-12-01")

    [after] = hand.answers("gemini-2.5-flash", asked)
    assert "response" in before[0]
    assert after == {"key": "k0", "error": {"code": 3, "message": after["error"]["message"]}}
