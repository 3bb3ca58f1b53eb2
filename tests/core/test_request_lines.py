import hashlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.requests import (
    SAFETY_OFF,
    EmbeddingTemplate,
    RequestTemplate,
    UnsendableTextError,
)
from tasks.core.unseen import is_blank

CONFIG = {"temperature": 0, "maxOutputTokens": 100, "responseSchema": {"type": "OBJECT"}}
sendable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not is_blank(text)
)


def template(**kwargs: Any) -> RequestTemplate:
    return RequestTemplate("Say what it is about.", CONFIG, **kwargs)


def test_a_line_is_the_documented_request() -> None:
    line = template().line("k1", "Some text.")

    assert json.loads(line) == {
        "key": "k1",
        "request": {
            "contents": [{"role": "user", "parts": [{"text": "Some text."}]}],
            "systemInstruction": {"parts": [{"text": "Say what it is about."}]},
            "generationConfig": CONFIG,
            "safetySettings": list(SAFETY_OFF),
        },
    }


@given(key=sendable, text=sendable, limit=st.none() | st.integers(1, 65_536))
def test_key_text_and_limit_survive_the_way_through_json(
    key: str, text: str, limit: int | None
) -> None:
    line = template().line(key, text, limit)

    said = orjson.loads(line)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert said["key"] == key
    assert said["request"]["contents"][0]["parts"] == [{"text": text}]
    assert said["request"]["generationConfig"]["maxOutputTokens"] == (limit or 100)


@given(text=sendable, limit=st.none() | st.integers(1, 65_536))
def test_the_interactive_body_is_the_request_of_the_line(text: str, limit: int | None) -> None:
    body = template().body(text, limit)

    assert body == orjson.loads(template().line("k", text, limit))["request"]


def test_tools_stand_beside_the_contents() -> None:
    searching = RequestTemplate("s", {"temperature": 0}, tools=[{"google_search": {}}])

    request = json.loads(searching.line("k", "t"))["request"]

    assert request["tools"] == [{"google_search": {}}]
    assert "tools" not in request["generationConfig"]


@pytest.mark.parametrize("text", ["", " ", "\n\u2003", "a\ud800b", "\udfff"])
def test_a_text_that_cannot_travel_is_a_declared_error(text: str) -> None:
    for send in (
        template().line,
        EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT").line,
    ):
        with pytest.raises(UnsendableTextError, match=r"empty|surrogate"):
            send("k", text)
    with pytest.raises(UnsendableTextError, match=r"empty|surrogate"):
        template().body(text)


def test_the_digest_changes_with_everything_that_is_asked() -> None:
    digests = {
        RequestTemplate("a", CONFIG).digest,
        RequestTemplate("b", CONFIG).digest,
        RequestTemplate("a", {**CONFIG, "responseSchema": {"type": "ARRAY"}}).digest,
        RequestTemplate("a", {**CONFIG, "thinkingConfig": {"thinkingBudget": 0}}).digest,
        RequestTemplate("a", {"temperature": 0}, tools=[{"googleSearch": {}}]).digest,
        RequestTemplate("a", CONFIG, safety_settings=()).digest,
        EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT").digest,
        EmbeddingTemplate(768, "RETRIEVAL_QUERY").digest,
    }

    assert len(digests) == 8


@given(temperature=st.floats(0, 2), limit=st.integers(1, 65_536))
def test_temperature_and_output_limit_are_sent_and_are_no_part_of_the_digest(
    temperature: float, limit: int
) -> None:
    config = {**CONFIG, "temperature": temperature, "maxOutputTokens": limit}

    made = RequestTemplate("a", config)

    assert made.body("t")["generationConfig"] == config
    assert made.digest == RequestTemplate("a", CONFIG).digest
    assert made.digest == RequestTemplate("a", {"responseSchema": {"type": "OBJECT"}}).digest


@given(key=sendable, text=sendable, limit=st.none() | st.integers(1, 65_536))
def test_every_line_ends_with_its_templates_tail(key: str, text: str, limit: int | None) -> None:
    made, vectors = template(), EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT")

    assert made.line(key, text, limit).endswith(made.tail(limit))
    assert vectors.line(key, text).endswith(vectors.tail())


def test_using_a_template_leaves_its_digest_alone() -> None:
    used = template()
    before = used.digest

    used.line("k", "t", 5)

    assert used.digest == before == template().digest


@given(key=sendable, text=sendable)
def test_an_embedding_line_survives_the_way_through_json(key: str, text: str) -> None:
    embedding = EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT")

    said = orjson.loads(embedding.line(key, text))

    assert said == {"key": key, "request": embedding.body(text)}
    assert said["request"] == {
        "content": {"parts": [{"text": text}]},
        "embedContentConfig": {
            "outputDimensionality": 768,
            "taskType": "RETRIEVAL_DOCUMENT",
            "autoTruncate": False,
        },
    }


def test_an_embedding_request_may_say_the_same_in_fields_of_its_own() -> None:
    said = EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT", "fields").body("a text")

    assert said == {
        "content": {"parts": [{"text": "a text"}]},
        "outputDimensionality": 768,
        "taskType": "RETRIEVAL_DOCUMENT",
    }


def test_the_form_of_an_embedding_request_is_no_part_of_the_question() -> None:
    forms = [EmbeddingTemplate(768, "RETRIEVAL_DOCUMENT", form) for form in ("config", "fields")]

    assert {each.digest for each in forms} == {
        hashlib.sha256(
            b'"outputDimensionality":768,"taskType":"RETRIEVAL_DOCUMENT"}}\n'
        ).hexdigest()
    }
