"""What is wrong with a line beyond its JSON comes per line, online as a 400, and costs nothing."""

from typing import Any

import orjson
import pytest
from emulator_hand import MODEL, SCHEMA, TEXT, Hand, lines, request

Json = dict[str, Any]
BARE = "Request contains an invalid argument."
SEARCH = [{"googleSearch": {}}]
NEW = ("gemini-3-flash-preview", MODEL, "gemini-3.8-flash", "gemini-4-hydrogen")
OLD = ("gemini-2.5-flash-lite", "gemini-2.5-flash", "gemini-2.5-pro")


def searching(config: Json) -> Json:
    contents = [{"role": "user", "parts": [{"text": TEXT}]}]
    return {"contents": contents, "tools": SEARCH, "generationConfig": config}


def agreed(hand: Hand, model: str, asked: Json) -> str:
    """Return why a request is refused: 400 online, code 3 in a job that SUCCEEDED."""
    online = hand.post(f"models/{model}:generateContent", asked).json()["error"]
    [line] = hand.answers(model, asked)
    assert (online["code"], online["status"]) == (400, "INVALID_ARGUMENT")
    assert line == {"key": "k0", "error": {"code": 3, "message": online["message"]}}
    return str(online["message"])


def test_a_wrong_line_leaves_its_neighbours_and_its_job_alone(hand: Hand) -> None:
    good, wrong = request(), request(responseSchema={"type": "OBJECT"})

    output = hand.answers(MODEL, good, wrong, good)

    assert ["error" in one for one in output] == [False, True, False]
    assert output[1]["error"].keys() == {"code", "message"}
    assert output[1]["error"]["code"] == 3


def test_a_line_that_was_refused_is_counted_and_not_billed(hand: Hand) -> None:
    hand.answers(MODEL, request(maxOutputTokens=100_000))

    bill = hand.own("bill")["batch"][MODEL]

    assert (bill["answered"], bill["failed"]) == (0, 1)
    assert (bill["input_tokens"], bill["output_tokens"], bill["thought_tokens"]) == (0, 0, 0)
    assert hand.own("keys", min=1)["count"] == 0


def test_a_job_counts_its_refused_lines(hand: Hand) -> None:
    wrong = {"key": "wrong", "request": request(responseSchema={"type": "OBJECT"})}

    job = hand.wait(hand.job([*lines(2), wrong]))

    counts = {"requestCount": "3", "successfulRequestCount": "2", "failedRequestCount": "1"}
    assert job["metadata"]["batchStats"] == counts


OBJECT = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
FAULTY: dict[str, tuple[Json, str]] = {
    "an object without properties": (
        {"type": "OBJECT", "properties": {"a": {"type": "OBJECT"}}},
        'properties["a"].properties: should be non-empty for OBJECT type',
    ),
    "an array without items": (
        {"type": "OBJECT", "properties": {"a": {"type": "ARRAY"}}},
        'properties["a"].items: missing field.',
    ),
    "an absent field that is required": (
        OBJECT | {"required": ["a", "b"]},
        "required[1]: property is not defined",
    ),
    "an enum without options": (
        {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": []}}},
        'properties["a"].enum[0]: cannot be empty',
    ),
    "an empty option": (
        {"type": "ARRAY", "items": {"type": "STRING", "enum": ["x", ""]}},
        "items.enum[1]: cannot be empty",
    ),
    "a fault in one of several": (
        {"type": "OBJECT", "properties": {"a": {"anyOf": [OBJECT, {"type": "array"}]}}},
        'properties["a"].any_of[1].items: missing field.',
    ),
}


@pytest.mark.parametrize("what", FAULTY)
def test_a_faulty_schema_is_refused_with_the_place_of_the_fault(hand: Hand, what: str) -> None:
    schema, reason = FAULTY[what]

    message = agreed(hand, MODEL, request(responseSchema=schema))

    assert message == f"* GenerateContentRequest.generation_config.response_schema.{reason}"


def test_every_fault_of_a_schema_is_named(hand: Hand) -> None:
    schema = {"type": "OBJECT", "properties": {"a": {"type": "ARRAY"}}, "required": ["b"]}

    assert len(agreed(hand, MODEL, request(responseSchema=schema)).splitlines()) == 2


def test_a_schema_in_both_forms_is_refused(hand: Hand) -> None:
    asked = request(responseJsonSchema={"type": "object"})

    assert "only one of" in agreed(hand, MODEL, asked)


def limited(items: Json) -> Json:
    array = {"type": "ARRAY", "items": items, "maxItems": 5}
    return {"type": "OBJECT", "properties": {"a": array}}


def test_3_8_refuses_a_limit_on_an_array_of_objects_without_a_reason(hand: Hand) -> None:
    assert agreed(hand, "gemini-3.8-flash", request(responseSchema=limited(OBJECT))) == BARE


@pytest.mark.parametrize(
    ("model", "items"),
    [("gemini-3.8-flash", {"type": "STRING"}), ("gemini-3.7-flash", OBJECT), (MODEL, OBJECT)],
)
def test_other_limits_on_arrays_are_taken(hand: Hand, model: str, items: Json) -> None:
    [line] = hand.answers(model, request(responseSchema=limited(items)))

    assert "response" in line


def test_a_prompt_over_the_input_limit_is_refused_with_both_numbers(hand: Hand) -> None:
    asked = {"contents": [{"role": "user", "parts": [{"text": "x" * (4 * 1_048_576 + 1)}]}]}

    message = agreed(hand, MODEL, asked)

    assert message == (
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
    )
    assert hand.own("bill")["totals"]["input_tokens"] == 0


@pytest.mark.parametrize("most", [65_537, "100000"])
def test_more_output_than_the_model_gives_is_refused(hand: Hand, most: object) -> None:
    assert "at most 65536" in agreed(hand, MODEL, request(maxOutputTokens=most))


def test_all_the_output_that_the_model_gives_may_be_asked_for(hand: Hand) -> None:
    assert hand.ask(max_output_tokens=65_536).text


@pytest.mark.parametrize("model", OLD)
@pytest.mark.parametrize(
    "config",
    [
        {"responseMimeType": "application/json", "responseSchema": SCHEMA},
        {"response_mime_type": "application/json"},
    ],
)
def test_search_with_json_is_refused_up_to_2_5(hand: Hand, model: str, config: Json) -> None:
    hand.set_date("2026-11-27")
    hand.switch("settings", old_keys=True)

    assert "application/json' is unsupported" in agreed(hand, model, searching(config))


@pytest.mark.parametrize("model", OLD)
def test_search_without_a_schema_is_taken_up_to_2_5(hand: Hand, model: str) -> None:
    hand.switch("settings", old_keys=True)

    [line] = hand.answers(model, searching({}))

    assert line["response"]["candidates"][0]["groundingMetadata"]["webSearchQueries"]


@pytest.mark.parametrize("model", NEW)
def test_search_with_a_schema_answers_json_and_what_was_searched(hand: Hand, model: str) -> None:
    config = {"response_mime_type": "application/json", "response_schema": SCHEMA}

    answer = hand.ask(model, tools=[{"google_search": {}}], **config)

    [candidate] = answer.candidates
    assert orjson.loads(answer.text)["concepts"]
    assert candidate.grounding_metadata.web_search_queries
    assert candidate.grounding_metadata.grounding_chunks[0].web.uri


def test_the_bill_counts_search_queries(hand: Hand) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": SCHEMA}

    output = hand.answers(MODEL, *[searching(config)] * 5, request())
    online = hand.ask(tools=[{"google_search": {}}]).candidates[0].grounding_metadata

    found = [one["response"]["candidates"][0].get("groundingMetadata", {}) for one in output]
    in_batch = sum(len(one.get("webSearchQueries", ())) for one in found)
    bill = hand.own("bill")
    assert bill["batch"][MODEL]["search_queries"] == in_batch > 5
    assert bill["online"][MODEL]["search_queries"] == len(online.web_search_queries)
    assert bill["totals"]["search_queries"] == in_batch + len(online.web_search_queries)


def test_the_searches_of_a_job_that_failed_are_not_billed(hand: Hand) -> None:
    hand.fault("failed")
    hand.switch("settings", run_seconds=0.0)

    hand.wait(hand.job([{"key": "k", "request": searching({})}]))

    assert hand.own("bill")["totals"]["search_queries"] == 0
