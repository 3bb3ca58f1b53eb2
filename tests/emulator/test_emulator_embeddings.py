"""Embeddings: both forms of a request, and texts over the limit."""

from typing import Any

import pytest
from emulator_hand import Hand
from google.genai import errors

Json = dict[str, Any]
MODEL = "gemini-embedding-001"
LIMIT = 2_048
WHOLE = "word " * (LIMIT * 4 // 5)
LONG = WHOLE.ljust(LIMIT * 4, "x") + " and what nobody reads any more"
CUT = LONG[: LIMIT * 4]


def content(text: str = "a text", **more: object) -> Json:
    return {"content": {"parts": [{"text": text}]}} | more


def online(hand: Hand, asked: Json, model: str = MODEL) -> list[float]:
    answer = hand.post(f"models/{model}:embedContent", asked)
    return list(answer.raise_for_status().json()["embedding"]["values"])


def batch(hand: Hand, *asked: Json, model: str = MODEL) -> list[Json]:
    return hand.answers(model, *asked, embed=True)


@pytest.mark.parametrize(
    "form",
    [
        {"outputDimensionality": 8},
        {"output_dimensionality": 8, "task_type": "CLUSTERING"},
        {"embedContentConfig": {"taskType": "CLUSTERING", "outputDimensionality": 8}},
        {"embed_content_config": {"output_dimensionality": 8, "auto_truncate": True}},
    ],
)
def test_the_old_and_the_new_form_ask_for_the_same(hand: Hand, form: Json) -> None:
    [line] = batch(hand, content(**form))

    plain = online(hand, content(outputDimensionality=8))
    assert online(hand, content(**form)) == line["response"]["embedding"]["values"] == plain


def test_the_sdk_asks_in_the_old_form(hand: Hand) -> None:
    config = {"output_dimensionality": 8, "task_type": "RETRIEVAL_DOCUMENT"}

    [answer] = hand.client.models.embed_content(
        model=MODEL, contents="a text", config=config
    ).embeddings

    assert answer.values == online(hand, content(outputDimensionality=8))


def test_an_unknown_field_of_the_new_form_fails_the_create(hand: Hand) -> None:
    with pytest.raises(errors.ClientError, match="no such field: 'truncate'"):
        batch(hand, content(embedContentConfig={"truncate": False}))


@pytest.mark.parametrize("config", [{}, {"embedContentConfig": {"autoTruncate": True}}])
def test_a_text_over_the_limit_is_cut_without_a_word(hand: Hand, config: Json) -> None:
    long, cut = batch(hand, content(LONG, **config), content(CUT))

    assert long["response"]["embedding"] == cut["response"]["embedding"]
    assert long["response"]["tokenCount"] == cut["response"]["tokenCount"] == str(LIMIT)
    assert online(hand, content(LONG, **config)) == cut["response"]["embedding"]["values"]
    assert hand.own("bill")["online"][MODEL]["input_tokens"] == LIMIT


@pytest.mark.parametrize("config", [{"autoTruncate": False}, {"auto_truncate": False}])
def test_a_text_over_the_limit_may_be_refused_instead(hand: Hand, config: Json) -> None:
    asked = content(LONG, embedContentConfig=config)

    refused = hand.post(f"models/{MODEL}:embedContent", asked).json()["error"]
    long, whole = batch(hand, asked, content(CUT, embedContentConfig=config))

    assert (refused["code"], refused["status"]) == (400, "INVALID_ARGUMENT")
    assert "maximum number of tokens allowed (2048)" in refused["message"]
    assert long == {"key": "k0", "error": {"code": 3, "message": refused["message"]}}
    assert whole["response"]["tokenCount"] == str(LIMIT)
    assert hand.own("bill")["batch"][MODEL]["input_tokens"] == LIMIT


def test_the_second_model_reads_four_times_as_much(hand: Hand) -> None:
    [line] = batch(hand, content("x" * 4 * 8_193), model="gemini-embedding-2")

    assert line["response"]["tokenCount"] == "8192"


@pytest.mark.parametrize("old", [{"outputDimensionality": 8}, {"task_type": "CLUSTERING"}])
def test_both_forms_at_once_are_refused(hand: Hand, old: Json) -> None:
    asked = content(embedContentConfig={"outputDimensionality": 8}, **old)

    refused = hand.post(f"models/{MODEL}:embedContent", asked).json()["error"]
    both, one = batch(hand, asked, content())

    assert refused["code"] == 400
    assert both == {"key": "k0", "error": {"code": 3, "message": refused["message"]}}
    assert "response" in one
