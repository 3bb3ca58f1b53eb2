"""Forms of thinking and of sampling, model by model; thoughts count and are billed."""

from typing import Any

import orjson
import pytest
from emulator_hand import MODEL, SCHEMA, Hand, request

Json = dict[str, Any]
BARE = "Request contains an invalid argument."
NOT_MINIMAL = "Thinking level MINIMAL is not supported for this model"
FOURTH = ("gemini-4-hydrogen", "gemini-4-argon", "gemini-4-neon", "gemini-4-carbon")


def thoughts(hand: Hand, model: str, **thinking: object) -> int:
    """Return the thought tokens of an online answer, once a batch has agreed."""
    hand.switch("settings", old_keys=True)
    config = {"thinking_config": thinking} if thinking else {}
    [line] = hand.answers(model, request(thinkingConfig=thinking))
    online = hand.ask(model, **config).usage_metadata.thoughts_token_count or 0
    batch = line["response"]["usageMetadata"].get("thoughtsTokenCount", 0)
    assert bool(online) == bool(batch)
    return online


def refused(hand: Hand, model: str, **thinking: object) -> str:
    """Return how a form of thinking is refused online, once a batch has said the same."""
    error = hand.refusal(model, thinking_config=thinking)
    [line] = hand.answers(model, request(thinkingConfig=thinking))
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")
    assert line == {"key": "k0", "error": {"code": 3, "message": error.message}}
    return str(error.message)


OFF = [
    ("gemini-2.5-flash-lite", {"thinking_budget": 0}),
    ("gemini-2.5-flash", {"thinking_budget": 0}),
    ("gemini-2.5-pro", {"thinking_budget": 0}),
    ("gemini-3.1-flash-lite", {"thinking_budget": 0}),
    ("gemini-3.1-flash-lite", {"thinking_level": "MINIMAL"}),
    ("gemini-3.6-flash", {"thinking_budget": 0}),
]


@pytest.mark.parametrize(("model", "form"), OFF)
def test_a_form_that_turns_thinking_off_leaves_no_thought_tokens(
    hand: Hand, model: str, form: Json
) -> None:
    hand.set_date("2026-11-27")
    hand.fault("thoughts")

    assert thoughts(hand, model, **form) == 0


@pytest.mark.parametrize("form", [{}, {"thinking_budget": -1}, {"thinking_budget": 512}])
def test_the_named_successor_takes_every_budget_but_zero(hand: Hand, form: Json) -> None:
    assert 0 <= thoughts(hand, "gemini-3.5-flash-lite", **form) <= 980


def test_the_named_successor_refuses_a_budget_of_zero_without_a_reason(hand: Hand) -> None:
    assert refused(hand, "gemini-3.5-flash-lite", thinking_budget=0) == BARE


@pytest.mark.parametrize("model", ["gemini-3.7-flash", "gemini-3.8-flash"])
def test_a_budget_of_zero_may_be_taken_and_not_honoured(hand: Hand, model: str) -> None:
    assert thoughts(hand, model, thinking_budget=0) > 0


def test_the_lowest_level_of_3_8_costs_270_to_980_tokens_an_item(hand: Hand) -> None:
    asked = [request(f"text {at}", thinkingConfig={"thinkingLevel": "LOW"}) for at in range(60)]

    output = hand.answers("gemini-3.8-flash", *asked)

    counts = [one["response"]["usageMetadata"]["thoughtsTokenCount"] for one in output]
    assert 270 <= min(counts) < 400
    assert 850 < max(counts) <= 980


@pytest.mark.parametrize("model", ["gemini-3.8-flash", *FOURTH])
def test_minimal_is_refused_by_name(hand: Hand, model: str) -> None:
    assert refused(hand, model, thinking_level="MINIMAL") == NOT_MINIMAL


@pytest.mark.parametrize("model", FOURTH)
@pytest.mark.parametrize("budget", [0, -1, 512])
def test_the_fourth_family_refuses_every_budget(hand: Hand, model: str, budget: int) -> None:
    assert "budget" in refused(hand, model, thinking_budget=budget)


@pytest.mark.parametrize("model", FOURTH)
def test_the_fourth_family_takes_a_level(hand: Hand, model: str) -> None:
    assert 270 <= thoughts(hand, model, thinking_level="LOW") <= 980


@pytest.mark.parametrize("model", [MODEL, "gemini-3.6-flash", "gemini-3.8-flash"])
def test_a_budget_and_a_level_together_are_refused(hand: Hand, model: str) -> None:
    message = refused(hand, model, thinking_budget=512, thinking_level="LOW")

    assert "only one of thinking budget and thinking level" in message


def test_a_level_is_refused_before_the_third_family(hand: Hand) -> None:
    hand.set_date("2026-11-27")

    assert "level is not supported" in refused(hand, "gemini-2.5-flash", thinking_level="LOW")


@pytest.mark.parametrize("field", ["thinkingLevel", "thinking_level"])
@pytest.mark.parametrize("level", ["low", "LOW"])
@pytest.mark.parametrize("config", ["thinkingConfig", "thinking_config"])
def test_a_level_is_read_in_every_spelling(hand: Hand, config: str, field: str, level: str) -> None:
    [line] = hand.answers("gemini-3.8-flash", request(**{config: {field: level}}))

    assert 270 <= line["response"]["usageMetadata"]["thoughtsTokenCount"] <= 980


def test_a_budget_is_read_in_both_spellings(hand: Hand) -> None:
    asked = [request(thinking_config={"thinking_budget": 0}), request(thinkingConfig={})]

    output = hand.answers("gemini-3.5-flash-lite", *asked)

    assert ["error" in one for one in output] == [True, False]


def test_thoughts_may_leave_nothing_for_the_answer(hand: Hand) -> None:
    answer = hand.ask("gemini-3.8-flash", max_output_tokens=200)

    usage = answer.usage_metadata
    assert answer.text is None
    assert answer.candidates[0].finish_reason == "MAX_TOKENS"
    assert (usage.thoughts_token_count, usage.candidates_token_count) == (200, None)


def test_thoughts_count_against_the_limit_of_the_answer(hand: Hand) -> None:
    config = {"response_mime_type": "application/json", "response_schema": SCHEMA}
    config["thinking_config"] = {"thinking_level": "LOW"}

    answer = hand.ask("gemini-3.8-flash", max_output_tokens=1100, **config)

    usage = answer.usage_metadata
    assert answer.candidates[0].finish_reason == "MAX_TOKENS"
    assert usage.thoughts_token_count + usage.candidates_token_count == 1100
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.text)


def test_thoughts_are_on_the_bill(hand: Hand) -> None:
    output = hand.answers("gemini-3.8-flash", request(), request())

    billed = hand.own("bill")["batch"]["gemini-3.8-flash"]["thought_tokens"]

    counted = [one["response"]["usageMetadata"]["thoughtsTokenCount"] for one in output]
    assert billed == sum(counted) > 0


SAMPLING = {"temperature": 0.0, "top_p": 0.5, "top_k": 3.0}


@pytest.mark.parametrize(
    "model", ["gemini-2.5-flash", MODEL, "gemini-3.5-flash-lite", "gemini-3.6-flash"]
)
def test_sampling_is_taken_before_the_fourth_family(hand: Hand, model: str) -> None:
    assert hand.ask(model, **SAMPLING).text


def test_sampling_changes_nothing_from_3_6_on(hand: Hand) -> None:
    [first] = hand.answers("gemini-3.6-flash", request())
    hand.switch("reset")
    hand.switch("settings", run_seconds=0.0, trouble=0.0)
    [second] = hand.answers("gemini-3.6-flash", request(**SAMPLING))

    assert first == second


@pytest.mark.parametrize("model", FOURTH)
@pytest.mark.parametrize("parameter", SAMPLING)
def test_the_fourth_family_refuses_sampling(hand: Hand, model: str, parameter: str) -> None:
    error = hand.refusal(model, **{parameter: SAMPLING[parameter]})

    assert (error.code, error.message) == (400, f"{parameter} is not supported for this model.")


@pytest.mark.parametrize(
    "config", [{"presence_penalty": 0.5}, {"frequency_penalty": 0.5}, {"candidate_count": 2}]
)
def test_the_fourth_family_refuses_penalties_and_several_candidates(
    hand: Hand, config: Json
) -> None:
    assert hand.refusal("gemini-4-hydrogen", **config).code == 400
    assert hand.ask("gemini-3.8-flash", **config).text
