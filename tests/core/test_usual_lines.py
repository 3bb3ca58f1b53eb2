from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.core.responses import _from_usual, _read_object, read_lines
from tasks.core.usual_lines import usual

LINE: dict[str, Any] = {
    "key": "k",
    "response": {
        "candidates": [
            {
                "content": {"parts": [{"text": "{}\0é"}], "role": "model"},
                "finishReason": "STOP",
                "avgLogprobs": -0.1,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 5,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 12,
            "cachedContentTokenCount": 1,
            "toolUsePromptTokenCount": 2,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        },
        "modelVersion": "m",
        "responseId": "r",
    },
}
RAW = orjson.dumps(LINE)


def check(line: bytes) -> None:
    quick = usual(line)
    if quick is None:
        return

    assert _from_usual(quick) == _read_object(orjson.loads(line), 1)


def test_a_usual_line_is_known_as_one() -> None:
    assert usual(RAW) is not None
    check(RAW)


@given(st.binary(max_size=12), st.integers(0, len(RAW)), st.integers(0, 20))
@example(b"\xff", RAW.index(b"model"), 0)
@example(b"\n", RAW.index(b"model"), 0)
@example(b"\\ud800", RAW.index(b"model"), 0)
@example(b'"error":{"code":3},', 1, 0)
@example(b'"error":null,', 1, 0)
@example(b'"key":7,', 1, 0)
@example(b'"response":{},', 1, 0)
@example(b'"promptFeedback":{"blockReason":"OTHER"},', RAW.index(b'"candidates"'), 0)
@example(b'"groundingMetadata":{"a":1},', RAW.index(b'"finishReason"'), 0)
@example(b'{"text":"hm","thought":true},', RAW.index(b'{"text"'), 0)
@example(b'"thought":true,', RAW.index(b'"text"'), 0)
@example(b'"thought":null,', RAW.index(b'"text"'), 0)
@example(b"-", RAW.index(b"5"), 0)
@example(b"9" * 30, RAW.index(b"5"), 0)
@example(b".", RAW.index(b"12") + 1, 0)
def test_a_line_with_damage_is_read_as_ever_or_called_unusual(
    junk: bytes, place: int, cut: int
) -> None:
    check(RAW[:place] + junk + RAW[place + cut :])


@pytest.mark.parametrize("name", sorted(LINE["response"]))
@given(value=st.sampled_from([None, {}, [], [{}], 0, "x", 1.5, [None], {"parts": 1}]))
def test_a_line_of_another_shape_is_read_as_ever(name: str, value: object) -> None:
    check(orjson.dumps({**LINE, "response": {**LINE["response"], name: value}}))


def test_a_thought_of_the_model_is_no_usual_line_and_no_answer() -> None:
    line = RAW.replace(b'{"text"', b'{"thought":true,"text"')
    (said,) = read_lines([line])

    assert usual(line) is None
    assert said == _read_object(orjson.loads(line), 1)
