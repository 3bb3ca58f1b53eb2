import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.responses import Response, Unreadable, Usage, read_body, read_lines


def read(line: bytes | dict[str, Any]) -> Response | Unreadable:
    raw = line if isinstance(line, bytes) else orjson.dumps(line)
    (said,) = read_lines([raw])
    return said


def reply(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"content": {"parts": list(parts), "role": "model"}}
    return {"response": {"candidates": [{**content, **candidate}]}, "key": "k"}


def test_a_whole_answer_is_read() -> None:
    line = reply({"text": "{}"}, finishReason="STOP", groundingMetadata={"webSearchQueries": ["q"]})
    line["response"] |= {
        "usageMetadata": {
            "promptTokenCount": 5,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 12,
            "cachedContentTokenCount": 1,
            "toolUsePromptTokenCount": 2,
        },
        "modelVersion": "gemini-2.5-flash",
    }

    assert read(line) == Response(
        key="k",
        text="{}",
        finish_reason="STOP",
        usage=Usage(7, 3, 12, 1, searches=1, searched=1),
        model_version="gemini-2.5-flash",
        grounding_metadata={"webSearchQueries": ["q"]},
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([{"text": "a"}, {"text": "b"}], "ab"),
        ([{"text": "hm", "thought": True}, {"text": "b"}], "b"),
        ([{"text": "hm", "thought": True}], None),
        ([{"thoughtSignature": "x"}, {"text": "b"}], "b"),
        ([{"text": "b", "thought": False}], "b"),
        ([{"text": 5}, "x", None], None),
        ([{"functionCall": {}}], None),
        ([], None),
    ],
)
def test_only_text_that_is_no_thought_is_the_answer(parts: list[Any], text: str | None) -> None:
    said = read(reply(*parts))

    assert isinstance(said, Response)
    assert said.text == text


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ({"error": {"code": 400, "message": "no", "status": "INVALID"}}, (400, "no")),
        ({"error": {"code": 8, "status": "RESOURCE_EXHAUSTED"}}, (8, "RESOURCE_EXHAUSTED")),
        ({"error": {"message": "no"}}, (0, "no")),
        ({"error": "no"}, (0, "no")),
        ({"status": {"code": 13, "message": "internal"}}, (13, "internal")),
    ],
)
def test_an_error_line_is_read(line: dict[str, Any], error: tuple[int, str]) -> None:
    said = read({"key": "k", **line})

    assert isinstance(said, Response)
    assert said.error == error


def test_a_blocked_prompt_is_read() -> None:
    said = read({"key": "k", "response": {"promptFeedback": {"blockReason": "OTHER"}}})

    assert said == Response("k", block_reason="OTHER")


def test_an_embedding_is_read_with_its_tokens_as_a_string() -> None:
    said = read({"response": {"tokenCount": "7", "embedding": {"values": [1, 0.5]}}, "key": "k"})

    assert said == Response("k", usage=Usage(7), embedding=[1.0, 0.5])


def test_the_key_of_an_inline_response_stands_in_its_metadata() -> None:
    said = read({"metadata": {"key": "k"}, "response": {}})

    assert said == Response("k")


@pytest.mark.parametrize("said", [2**31, 2**31 - 1, 2**62, str(2**40), "9" * 18])
def test_no_count_is_larger_than_the_ledger_holds(said: object) -> None:
    line = reply({"text": "x"})
    counts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    line["response"]["usageMetadata"] = dict.fromkeys(counts, said)

    found = read(line)

    assert isinstance(found, Response)
    assert found.usage == Usage(2**31 - 1, 2**31 - 1, 2**31 - 1)


def test_an_interactive_reply_reads_like_a_line() -> None:
    line = reply({"text": "x"}, finishReason="STOP")

    assert read_body("k", line["response"]) == read(line)


def test_blank_lines_say_nothing_but_are_counted() -> None:
    lines = [b"\n", b"  \r\n", b"", b"oops\n"]

    (said,) = read_lines(lines)

    assert isinstance(said, Unreadable)
    assert said.line_number == 4


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"key":"k","response":{"x":"\xff"}}', "k"),
        (b'{"response":{"text":"say \\"key\\":\\"no\\""', None),
        (b'{"response":{},"key": "a-b"', "a-b"),
        (b"\x00\x01", None),
        (b"[1]", None),
        (b'"key"', None),
        (b'{"response":{}}', None),
        (b'{"key":true}', None),
        (b'{"key":{"a":1}}', None),
        (b"[" * 100_000, None),
    ],
)
def test_a_damaged_line_is_a_value_with_its_key_where_it_shows(
    line: bytes, key: str | None
) -> None:
    said = read(line)

    assert isinstance(said, Unreadable)
    assert said.key == key
    assert said.reason


def test_a_byte_order_mark_is_no_damage() -> None:
    said = read(b'\xef\xbb\xbf{"key":"k","response":{}}')

    assert said == Response("k")


def test_half_a_surrogate_pair_becomes_a_replacement_character_and_whole_pairs_stay() -> None:
    text = r"a\ud83d\ude00 \ud800 \\ud800"
    line = rb'{"key":"k","response":{"candidates":[{"content":{"parts":[{"text":"%b"}]}}]}}'

    said = read(line % text.encode())

    assert isinstance(said, Response)
    assert said.text == "a\U0001f600 \ufffd \\ud800"


def test_a_line_of_50_mb_is_read() -> None:
    text = "x" * 50_000_000

    said = read(reply({"text": text}))

    assert isinstance(said, Response)
    assert said.text == text


@given(st.lists(st.binary(max_size=200)))
def test_no_bytes_raise(lines: list[bytes]) -> None:
    said = list(read_lines(lines))

    assert len(said) <= len(lines)


WORDS = [
    "key",
    "response",
    "candidates",
    "content",
    "parts",
    "text",
    "thought",
    "finishReason",
    "error",
    "code",
    "message",
    "usageMetadata",
    "promptTokenCount",
    "promptFeedback",
    "blockReason",
    "embedding",
    "values",
    "tokenCount",
    "status",
    "metadata",
    "modelVersion",
    "groundingMetadata",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(json_values)
def test_no_json_raises_and_every_field_has_its_type(value: Any) -> None:
    for said in read_lines([json.dumps(value).encode()]):
        if isinstance(said, Unreadable):
            continue
        assert type(said.key) is str
        assert said.text is None or type(said.text) is str
        assert all(type(tokens) is int and tokens >= 0 for tokens in said.usage)
        assert said.error is None or type(said.error[0]) is int
        assert said.grounding_metadata is None or type(said.grounding_metadata) is dict


def test_nul_becomes_a_replacement_character_because_postgres_cannot_keep_it() -> None:
    said = read(reply({"text": "a\0b"}))

    assert isinstance(said, Response)
    assert said.text == "a\ufffdb"
