"""Answers fit any schema, come from the text, and are the same for the same chance."""

import re
from random import Random
from typing import Any

import jsonschema
import pytest
from emulator_hand import TEXT
from hypothesis import given
from hypothesis import strategies as st

from deployments.local.emulator import tokens
from deployments.local.emulator.answers import compile_schema
from deployments.local.emulator.asked import Asked
from deployments.local.emulator.passage import Passage
from deployments.local.emulator.spelling import camel, get, snake

Json = dict[str, Any]
NAMES = st.sampled_from(
    ["name", "quote", "quotes", "surface", "aliases", "score", "summary", "energy", "count", "x"]
)
LEAVES = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.just({"type": "integer", "minimum": 3, "maximum": 9}),
    st.just({"type": "number", "minimum": -2.5, "maximum": 4}),
    st.just({"type": "string", "maxLength": 5}),
    st.just({"type": "string", "minLength": 3}),
    st.just({"type": ["string", "null"]}),
    st.just({"anyOf": [{"type": "null"}, {"type": "integer"}]}),
    st.just({"$ref": "#/$defs/word"}),
    st.lists(st.text(min_size=1), min_size=1, max_size=4).map(
        lambda options: {"type": "string", "enum": options}
    ),
)


def nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    bounds = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted)
    arrays = st.tuples(inner, bounds).map(
        lambda pair: {
            "type": "array",
            "items": pair[0],
            "minItems": pair[1][0],
            "maxItems": pair[1][1],
        }
    )
    objects = st.dictionaries(NAMES, inner, max_size=4).map(
        lambda fields: {"type": "object", "properties": fields, "required": list(fields)}
    )
    return arrays | objects


SCHEMAS = st.recursive(LEAVES, nested, max_leaves=8)
TEXTS = st.text(max_size=300) | st.just(TEXT) | st.just("") | st.just("語" * 50)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def made(schema: Json, text: str, seed: int) -> object:
    return compile_schema(schema)(Passage(text, Random(seed), 1.0))


@given(SCHEMAS, TEXTS, st.integers(0, 1000))
def test_an_answer_fits_its_schema_whatever_the_text(schema: Json, text: str, seed: int) -> None:
    root = {"$defs": {"word": {"type": "string", "enum": ["a", "b"]}}} | schema

    answer = made(root, text, seed)

    jsonschema.validate(answer, root)


@given(SCHEMAS, TEXTS, st.integers(0, 1000))
def test_the_same_chance_gives_the_same_answer(schema: Json, text: str, seed: int) -> None:
    root = {"$defs": {"word": {"type": "string"}}} | schema

    assert made(root, text, seed) == made(root, text, seed)


@given(TEXTS.filter(str.strip), st.integers(0, 1000))
def test_quotes_without_trouble_are_in_the_text(text: str, seed: int) -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"quote": {}}}}

    answer: Any = compile_schema(schema)(Passage(text, Random(seed)))

    assert 5 <= len(answer) <= 12
    assert all(item["quote"] in text for item in answer)


def test_a_surface_is_the_name_as_the_text_words_it_and_few_have_another() -> None:
    names: Json = {"type": "array", "items": {"type": "string"}}
    fields = {"name": {"type": "string"}, "aliases": names, "surface": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "required": list(fields)}

    make = compile_schema(schema)
    found: Any = [make(Passage(TEXT, Random(seed))) for seed in range(400)]

    assert all(one["surface"] in TEXT for one in found)
    assert all(set(one["name"].split()) <= set(words_of(one["surface"])) for one in found)
    assert 0.3 < sum(one["surface"] == one["name"] for one in found) / 400 < 0.8
    assert 0.15 < sum(map(len, (one["aliases"] for one in found))) / 400 < 0.35


def test_scores_are_plausible() -> None:
    schema = {"type": "array", "items": {"type": "number"}, "minItems": 50, "maxItems": 50}

    scores: Any = compile_schema({"type": "object", "properties": {"confidence": schema}})(
        Passage(TEXT, Random(1))
    )

    assert all(0.55 <= score <= 0.99 for score in scores["confidence"])


def test_the_mean_number_of_items_is_about_eight() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"name": {}}}}
    make = compile_schema(schema)

    counts = [len(make(Passage(TEXT, Random(seed)))) for seed in range(500)]

    assert 8 < sum(counts) / len(counts) < 9
    assert (min(counts), max(counts)) == (5, 12)


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {
        "$defs": {"node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/node"}}}},
        "$ref": "#/$defs/node",
    }

    assert isinstance(made(schema, TEXT, 1), dict)


def test_the_last_user_text_is_what_is_asked_about() -> None:
    contents = [
        {"role": "user", "parts": [{"text": "an example"}]},
        {"role": "model", "parts": [{"text": "its answer"}]},
        {"role": "user", "parts": [{"text": "instructions"}, {"text": "the target"}]},
    ]

    assert Asked({"contents": contents}).text == "the target"


@pytest.mark.parametrize(
    ("camel_case", "snake_case"),
    [("displayName", "display_name"), ("topP", "top_p"), ("key", "key")],
)
def test_both_spellings_mean_the_same(camel_case: str, snake_case: str) -> None:
    assert snake(camel_case) == snake_case
    assert camel(snake_case) == camel_case
    assert get({snake_case: 1}, camel_case) == get({camel_case: 1}, camel_case) == 1


@given(st.text())
def test_a_token_is_about_four_characters(text: str) -> None:
    assert (len(text) / 4) <= tokens.of(text) < len(text) / 4 + 1


def test_a_short_name_is_what_its_description_says_and_left_out_where_that_allows_it() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "string", "description": "name. Usual short name"},
            "s": {"type": "string", "description": "surface. Left out when the same as n"},
            "q": {"type": "string", "description": "quote, copied exactly"},
            "c": {"type": "number", "description": "confidence. In steps of 0.05"},
        },
        "required": ["n", "q", "c"],
    }

    [one, other] = (made(schema, text, 3) for text in ("Bread, and Salt", "reliability"))

    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert one["q"] in "Bread, and Salt"
    assert one["c"] * 100 % 5 == pytest.approx(0)
    assert one["c"] > 0.5
    assert (set(one), set(other)) == ({"n", "s", "q", "c"}, {"n", "q", "c"})
