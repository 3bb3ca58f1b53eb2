from typing import Any

import orjson
import pytest
from emulator_hand import MODEL, TEXT, Hand, line, lines, text_of
from google.genai import types

Json = dict[str, Any]


def one(hand: Hand, fault: str, asked: Json | None = None, **params: object) -> Json:
    """Return the output line of one request that a fault befell."""
    hand.fault(fault, **params)
    [output] = hand.output([asked or line("k0")])
    return output


def concepts(output: Json) -> list[Json]:
    return list(orjson.loads(text_of(output))["concepts"])


def quotes(output: Json) -> list[str]:
    return [quote for concept in concepts(output) for quote in concept["quotes"]]


def test_an_error_line_has_no_response(hand: Hand) -> None:
    output = one(hand, "error_line", code=8, message="Too much.")

    assert output == {"key": "k0", "error": {"code": 8, "message": "Too much."}}
    assert hand.own("bill")["batch"][MODEL]["failed"] == 1


def test_a_poisoned_error_has_objects_for_details(hand: Hand) -> None:
    output = one(hand, "poisoned_details")

    assert isinstance(output["error"]["details"][0], dict)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("safety", "SAFETY"), ("recitation", "RECITATION"), ("empty_text", "STOP")],
)
def test_a_silent_candidate_has_a_reason_and_no_content(
    hand: Hand, fault: str, reason: str
) -> None:
    [candidate] = one(hand, fault)["response"]["candidates"]

    assert candidate["finishReason"] == reason
    assert "content" not in candidate


def test_a_blocked_prompt_has_no_candidates(hand: Hand) -> None:
    response = one(hand, "prompt_blocked", reason="SAFETY")["response"]

    assert response["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in response


def test_max_tokens_heals_with_a_larger_limit(hand: Hand) -> None:
    hand.fault("max_tokens", needs=4000)
    asked = [line("small", maxOutputTokens=2000), line("large", maxOutputTokens=4000)]

    output = {o["key"]: o["response"]["candidates"][0] for o in hand.output(asked)}

    assert output["small"]["finishReason"] == "MAX_TOKENS"
    assert output["large"]["finishReason"] == "STOP"
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(output["small"]["content"]["parts"][0]["text"])


@pytest.mark.parametrize("fault", ["truncated", "not_json"])
def test_an_unparseable_answer_stops_like_any_other(hand: Hand, fault: str) -> None:
    output = one(hand, fault)

    assert output["response"]["candidates"][0]["finishReason"] == "STOP"
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text_of(output))


def test_prose_stands_around_the_json(hand: Hand) -> None:
    text = text_of(one(hand, "prose"))

    assert orjson.loads(text[text.index("{") : text.rindex("}") + 1])["concepts"]
    assert not text.startswith("{")


def test_a_fence_stands_around_the_json(hand: Hand) -> None:
    text = text_of(one(hand, "fenced"))

    assert orjson.loads(text.removeprefix("```json\n").removesuffix("\n```"))["concepts"]


def test_wrong_types_are_json_that_does_not_fit(hand: Hand) -> None:
    concept = concepts(one(hand, "wrong_types"))[0]

    assert isinstance(concept["name"], int)
    assert isinstance(concept["confidence"], str)
    assert isinstance(concept["quotes"], dict)


def test_invented_quotes_are_not_in_the_text(hand: Hand) -> None:
    output = one(hand, "invented_quotes")

    assert not any(quote in TEXT for quote in quotes(output))


def test_restyled_quotes_differ_in_style_alone(hand: Hand) -> None:
    found = quotes(one(hand, "restyled_quotes"))

    plain = " ".join(f"{TEXT} (k0)".lower().split())
    assert not any(quote in TEXT for quote in found)
    alike = [" ".join(quote.lower().split()) in plain for quote in found]
    assert sum(alike) >= 0.9 * len(alike)


def test_reworded_quotes_have_another_word(hand: Hand) -> None:
    found = quotes(one(hand, "reworded_quotes"))

    assert all("somewhat" in quote for quote in found)


def test_an_answer_may_hold_no_items(hand: Hand) -> None:
    assert concepts(one(hand, "no_items")) == []


def test_thoughts_come_beside_the_answer(hand: Hand) -> None:
    hand.fault("thoughts")
    asked = [line("signed"), line("shown", thinkingConfig={"includeThoughts": True})]

    output = {o["key"]: o["response"] for o in hand.output(asked)}

    signed, shown = (output[k]["candidates"][0]["content"]["parts"] for k in ("signed", "shown"))
    assert "thoughtSignature" in signed[1]
    assert shown[0]["thought"] is True
    assert all(response["usageMetadata"]["thoughtsTokenCount"] for response in output.values())


def test_half_of_a_prompt_may_come_from_the_cache(hand: Hand) -> None:
    hand.fault("cached")

    [output] = hand.output([line("cached")])

    usage = output["response"]["usageMetadata"]
    assert usage["cachedContentTokenCount"] == usage["promptTokenCount"] // 2 > 0


def test_usage_may_be_missing_or_partial(hand: Hand) -> None:
    hand.fault("no_usage", match={"key": "none"})
    hand.fault("partial_usage", match={"key": "partial"})

    output = {o["key"]: o["response"] for o in hand.output([line("none"), line("partial")])}

    assert "usageMetadata" not in output["none"]
    assert "totalTokenCount" not in output["partial"]["usageMetadata"]


def test_lines_may_be_missing(hand: Hand) -> None:
    hand.fault("missing_line", times=2)

    output = hand.output(lines(5))

    assert [o["key"] for o in output] == ["k2", "k3", "k4"]


def test_a_key_may_come_twice_with_different_answers(hand: Hand) -> None:
    hand.fault("duplicate_key", match={"key": "k1"})

    output = hand.output(lines(3))

    assert [o["key"] for o in output] == ["k0", "k1", "k1", "k2"]
    assert text_of(output[1]) != text_of(output[2])


def test_a_key_may_come_that_nobody_sent(hand: Hand) -> None:
    hand.fault("unknown_key", times=1)

    output = hand.output(lines(2))

    assert len(output) == 3
    assert output[1]["key"].startswith("nobody-sent-")


def test_blank_lines_may_stand_between(hand: Hand) -> None:
    hand.fault("blank_line")

    raw = hand.raw_output(hand.job(lines(3)))

    assert raw.split(b"\n").count(b"") == 4
    assert len([one for one in raw.splitlines() if one]) == 3


def test_a_bad_byte_hurts_its_line_alone(hand: Hand) -> None:
    hand.fault("bad_byte", match={"key": "k1"})

    raw = hand.raw_output(hand.job(lines(3))).splitlines()

    orjson.loads(raw[0])
    orjson.loads(raw[2])
    with pytest.raises(UnicodeDecodeError):
        raw[1].decode()


def test_one_line_may_be_50_megabytes(hand: Hand) -> None:
    hand.fault("huge_line", match={"key": "k1"})

    raw = hand.raw_output(hand.job(lines(3))).splitlines()

    assert [len(one) > 50_000_000 for one in raw] == [False, True, False]
    assert orjson.loads(raw[1])


def test_a_share_of_lines_is_the_same_lines_every_time(hand: Hand) -> None:
    hand.fault("missing_line", share=0.5)

    first, second = (sorted(o["key"] for o in hand.output(lines(100))) for _ in range(2))

    assert first == second
    assert 20 < len(first) < 80


def test_line_faults_befall_online_answers_too(hand: Hand) -> None:
    hand.fault("safety")
    client = hand.sdk()

    answer = client.models.generate_content(model=MODEL, contents=TEXT)

    assert answer.text is None
    assert answer.candidates[0].finish_reason == types.FinishReason.SAFETY


def test_embedding_lines_may_fail_or_be_missing(hand: Hand) -> None:
    hand.fault("error_line", match={"key": "k0"})
    hand.fault("missing_line", match={"key": "k1"})
    ask = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4}
    file = hand.upload([{"key": f"k{i}", "request": ask} for i in range(3)])
    body = {"batch": {"displayName": "emb", "inputConfig": {"fileName": file}}}

    created = hand.post("models/gemini-embedding-001:asyncBatchEmbedContent", body).json()

    output = [orjson.loads(raw) for raw in hand.raw_output(created["name"]).splitlines()]
    assert [(o["key"], "error" in o) for o in output] == [("k0", True), ("k2", False)]
