import math

import orjson
import pytest
from emulator_hand import MODEL, SCHEMA, TEXT, Hand, request

EMBED = "models/gemini-embedding-001"


def length(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values))


def test_an_answer_fits_the_schema_and_counts_its_tokens(hand: Hand) -> None:
    answer = hand.post(f"models/{MODEL}:generateContent", request()).json()

    [candidate] = answer["candidates"]
    text = candidate["content"]["parts"][0]["text"]
    concepts = orjson.loads(text)["concepts"]
    usage = answer["usageMetadata"]
    assert 5 <= len(concepts) <= 12
    assert all(c["type"] in ("method", "model", "dataset") for c in concepts)
    assert usage["candidatesTokenCount"] == (len(text) + 3) // 4
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]


def test_counted_tokens_are_the_prompt_tokens_of_an_answer(hand: Hand) -> None:
    body = {"generateContentRequest": {"model": f"models/{MODEL}", **request()}}

    counted = hand.post(f"models/{MODEL}:countTokens", body).json()["totalTokens"]

    answer = hand.post(f"models/{MODEL}:generateContent", request()).json()
    assert answer["usageMetadata"]["promptTokenCount"] == counted


def test_quotes_are_verbatim_without_trouble(hand: Hand) -> None:
    answer = hand.post(f"models/{MODEL}:generateContent", request()).json()

    concepts = orjson.loads(answer["candidates"][0]["content"]["parts"][0]["text"])["concepts"]
    assert all(quote in TEXT for concept in concepts for quote in concept["quotes"])


def test_an_answer_stops_at_max_output_tokens(hand: Hand) -> None:
    answer = hand.post(f"models/{MODEL}:generateContent", request(maxOutputTokens=10)).json()

    [candidate] = answer["candidates"]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert answer["usageMetadata"]["candidatesTokenCount"] == 10


def test_an_embedding_has_the_dimensions_asked_for(hand: Hand) -> None:
    body = {"content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 768}

    values = hand.post(f"{EMBED}:embedContent", body).json()["embedding"]["values"]

    assert len(values) == 768


def test_only_full_vectors_of_the_first_model_are_of_unit_length(hand: Hand) -> None:
    content = {"content": {"parts": [{"text": "hi"}]}}
    short = content | {"outputDimensionality": 768}

    lengths = [
        length(hand.post(f"models/{model}:embedContent", body).json()["embedding"]["values"])
        for model in ("gemini-embedding-001", "gemini-embedding-2")
        for body in (content, short)
    ]

    assert [round(one, 3) for one in lengths] == [1.0, 0.5, 1.0, 1.0]


def test_different_texts_have_different_vectors(hand: Hand) -> None:
    bodies = [{"content": {"parts": [{"text": text}]}} for text in ("a", "b", "a")]

    embeddings = hand.post(f"{EMBED}:batchEmbedContents", {"requests": bodies}).json()

    first, second, third = (e["values"] for e in embeddings["embeddings"])
    assert first == third != second


def test_a_model_says_what_it_can_do(hand: Hand) -> None:
    model = hand.get(f"models/{MODEL}").json()

    assert "batchGenerateContent" in model["supportedGenerationMethods"]
    assert model["inputTokenLimit"] == 1_048_576


@pytest.mark.parametrize(
    ("model", "method", "words"),
    [
        ("gemini-1.5-flash", "generateContent", "no longer available"),
        ("text-embedding-004", "embedContent", "no longer available"),
        ("gemini-9", "generateContent", "is not found"),
        ("gemini-embedding-001", "generateContent", "not supported for generateContent"),
    ],
)
def test_a_model_that_cannot_answer_says_why(
    hand: Hand, model: str, method: str, words: str
) -> None:
    refused = hand.post(f"models/{model}:{method}", {})

    assert refused.status_code == 404
    assert words in refused.json()["error"]["message"]


def test_fifteen_requests_a_minute_are_fifteen_on_the_emulators_clock(hand: Hand) -> None:
    hand.switch("settings", requests_per_minute=15)
    url = f"models/{MODEL}:generateContent"

    codes = [hand.post(url, request()).status_code for _ in range(16)]

    refused = hand.post(url, request()).json()["error"]
    hand.switch("clock", advance_seconds=61)
    assert codes == [200] * 15 + [429]
    assert {d["@type"].split(".")[-1] for d in refused["details"]} == {
        "Help",
        "QuotaFailure",
        "RetryInfo",
    }
    assert hand.post(url, request()).status_code == 200


def prompted(system: str, **more: object) -> dict[str, object]:
    return {
        "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
        "systemInstruction": {"parts": [{"text": system}]},
    } | more


def test_a_shape_in_the_prompt_is_answered_without_a_schema(hand: Hand) -> None:
    system = 'Answer so:\n```json\n{"energy": "low|medium|high", "reasoning": "why"}\n```\n'
    body = prompted(system, tools=[{"google_search": {}}])

    [candidate] = hand.post(f"models/{MODEL}:generateContent", body).json()["candidates"]

    answer = orjson.loads(candidate["content"]["parts"][0]["text"])
    assert answer["energy"] in ("low", "medium", "high")
    assert candidate["groundingMetadata"]["webSearchQueries"]
    assert candidate["groundingMetadata"]["groundingChunks"][0]["web"]["uri"]


def test_a_schema_in_the_prompt_is_answered_too(hand: Hand) -> None:
    system = f"Answer so:\n```json\n{orjson.dumps(SCHEMA).decode()}\n```\n"

    [candidate] = hand.post(f"models/{MODEL}:generateContent", prompted(system)).json()[
        "candidates"
    ]

    assert orjson.loads(candidate["content"]["parts"][0]["text"])["concepts"]


def test_without_any_shape_the_answer_is_a_sentence(hand: Hand) -> None:
    answer = hand.post(f"models/{MODEL}:generateContent", prompted("Be brief.")).json()

    assert answer["candidates"][0]["content"]["parts"][0]["text"].endswith(".")


def test_thinking_tokens_are_counted_only_while_thinking_is_on(hand: Hand) -> None:
    hand.fault("thoughts")
    url = f"models/{MODEL}:generateContent"

    on = hand.post(url, request()).json()["usageMetadata"]
    off = hand.post(url, request(thinkingConfig={"thinkingBudget": 0})).json()["usageMetadata"]

    assert on["thoughtsTokenCount"] > 0
    assert "thoughtsTokenCount" not in off
