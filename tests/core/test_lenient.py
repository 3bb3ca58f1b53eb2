"""JSON as models slip it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.lenient import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("{'a': 'it's', 'b': [1, 2,]}", {"a": "it's", "b": [1, 2]}),
        (
            "{a: some words, b: True, c: None, d: -0.5e3}",
            {"a": "some words", "b": True, "c": None, "d": -500},
        ),
        ('{"a": "he said "no", and left", "b": "x"}', {"a": 'he said "no", and left', "b": "x"}),
        ('{"a": "the "best" one"}', {"a": 'the "best" one'}),
        ('["the "best" one", "b"]', ['the "best" one', "b"]),
        ('{"a": "x"\n "b": 2}', {"a": "x", "b": 2}),
        ('["a"\n "b"]', ["a", "b"]),
        ('{"c": [{"a": 1} {"a": 2}]}', {"c": [{"a": 1}, {"a": 2}]}),
        ("{“a”: “b”, “c”: 1}", {"a": "b", "c": 1}),
        ('{"a": , "b": 1}', {"a": None, "b": 1}),
        ('{"a": "x", // a note\n"b": 2}', {"a": "x", "b": 2}),
        ('{"a" = 1, "b" => 2}', {"a": 1, "b": 2}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        (r'{"a": "\alpha it\'s \u00e9 \ud83d\ude00 \ud800"}', {"a": "\\alpha it's é 😀 \ufffd"}),
        ('{"a": 0.95.1}', {"a": "0.95.1"}),
        ('{"a": "b"} and "more" }', {"a": "b"}),
    ],
)
def test_what_is_slightly_wrong_is_read_and_nothing_is_lost(text: str, value: object) -> None:
    said = read(text, 0)

    assert said == (value, False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"c": [{"a": 1}, {"a": 2', {"c": [{"a": 1}]}),
        ('{"c": ["a", "b', {"c": ["a"]}),
        ('{"c": [[1, 2], [3', {"c": [[1, 2]]}),
        ('{"a": "high", "b": "It is lou', {"a": "high", "b": "It is lou"}),
        ('{"a": 1, "b": 0.9', {"a": 1}),
        ('{"a": 1, "b": tr', {"a": 1}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": [1], ', {"a": [1]}),
        ('{"x": [{"a": 1}}, {"a": 2}]}', {"x": [{"a": 1}]}),
        ('{"x": [{"a": 1}, {"a": 2}', {"x": [{"a": 1}, {"a": 2}]}),
        ("{", {}),
    ],
)
def test_of_what_ends_too_early_nothing_half_is_kept_and_that_is_said(
    text: str, value: object
) -> None:
    said = read(text, 0)

    assert said == (value, True)


@pytest.mark.parametrize("text", ["[" * 100, '{"a":' * 100, "{" + "a " * 2_000])
def test_what_is_too_far_from_json_is_nothing(text: str) -> None:
    assert read(text, 0) is None


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", min_size=1), inner),
    max_leaves=20,
)


@given(
    st.lists(values) | st.dictionaries(st.text("abc_", min_size=1), values),
    st.sampled_from([None, 1]),
)
def test_what_is_json_is_read_as_json(value: Any, indent: int | None) -> None:
    said = read(json.dumps(value, ensure_ascii=bool(indent), indent=indent), 0)

    assert said == (value, False)


@given(st.dictionaries(st.text("abc_", min_size=1), st.lists(values), min_size=1), st.data())
def test_of_json_that_is_cut_off_every_list_is_a_beginning(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)

    said = read(text[: data.draw(st.integers(1, len(text) - 1))], 0)

    assert said is not None
    assert isinstance(said.value, dict)
    for key, kept in said.value.items():
        assert kept == value[key][: len(kept)]
