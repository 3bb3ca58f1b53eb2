"""The diet: the same answers under short names, with less to say, read as if nothing was short."""

from dataclasses import replace
from random import Random
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, Field

from deployments.local.emulator.answers import compile_schema
from deployments.local.emulator.passage import Passage
from deployments.local.sample_passages import passages
from tasks import backfills
from tasks.adapters.reference import models
from tasks.core.answers import Answered, Refused, judge
from tasks.core.asking import refusals
from tasks.core.concepts import Concept
from tasks.core.grounding import Span, Text
from tasks.core.requests import response_schema
from tasks.core.responses import Response
from tasks.core.wire import names_of, on_diet, slimmed
from tasks.slices.requests import question_digest

PLAIN = backfills.declared()["passage_concepts"]
DIET = replace(PLAIN, wire="diet")
ADAM = {"n": "Adam", "t": "method", "c": 0.9, "q": ["Adam adapts"]}


def read(value: object) -> Any:
    return judge(Response("k", orjson.dumps(value).decode(), "STOP"), DIET.travelling_model)


def placed(answer: Any, text: str) -> list[dict[str, Any]]:
    """Return what an answer says, of its quotes the words at their ends in the text."""
    whole = Text(text)
    concepts = [(each.model_dump(), map(whole.find, each.quotes)) for each in answer.concepts]
    return [{**said, "quotes": [_ends(span, text) for span in spans]} for said, spans in concepts]


def _ends(span: Span | None, text: str) -> tuple[list[str], list[str]] | None:
    words = text[span.start : span.end].split() if span else []
    return (words[:3], words[-3:]) if span else None


def test_every_field_goes_by_a_letter_of_its_own_and_says_what_it_is() -> None:
    schema: Any = response_schema(DIET.travelling_model)

    said = schema["properties"]["c"]["items"]
    assert list(said["properties"]) == ["n", "t", "a", "c", "s", "q"]
    assert said["required"] == ["n", "t", "c", "q"]
    told = {name: each["description"] for name, each in said["properties"].items()}
    assert told["a"] == "aliases. Other names that the text itself uses. Left out when empty"
    assert told["c"] == "confidence. In steps of 0.05"
    assert told["s"].endswith("copied exactly. Left out when the same as n")
    assert "Of more than 8 words the first 3, then ..., then the last 3: " in told["q"]
    assert said["properties"]["t"]["enum"] == list(PLAIN.options.model_dump()["concept_types"])


def test_what_a_version_without_the_diet_asks_is_not_touched_by_it() -> None:
    assert PLAIN.travelling_model is PLAIN.answer_model
    assert "said" not in str(response_schema(PLAIN.answer_model))
    assert question_digest(DIET) != question_digest(PLAIN)


def test_what_was_left_out_is_what_it_would_have_said() -> None:
    [concept] = read({"c": [ADAM]}).answer.concepts

    assert isinstance(concept, Concept)
    assert (concept.surface, concept.aliases, concept.confidence) == ("Adam", [], 0.9)


def test_the_diet_says_the_same_of_real_text_in_fewer_tokens() -> None:
    make = compile_schema(response_schema(PLAIN.answer_model))
    for number, (_, text) in enumerate(passages(50)):
        said = PLAIN.answer_model.model_validate(make(Passage(text, Random(number))))
        said.concepts[0].surface, said.concepts[-1].aliases = said.concepts[0].name, []  # type: ignore[attr-defined]

        slim = slimmed(said, DIET.names)

        back = read(slim)
        assert isinstance(back, Answered)
        assert placed(back.answer, text) == placed(said, text)
        assert not {"s"} & set(slim["c"][0])
        assert len(orjson.dumps(slim)) < 0.9 * len(said.model_dump_json())


def test_what_is_mended_dropped_and_refused_is_told_by_the_fields_own_names() -> None:
    mended = read({"c": [{**ADAM, "c": "95"}, {**ADAM, "n": ""}]})
    refused = read({"c": [{**ADAM, "n": ""}]})

    assert mended.mended == ("mended:concepts.confidence", "dropped:concepts.name")
    assert mended.answer.concepts[0].confidence == pytest.approx(0.95)
    assert isinstance(refused, Refused)
    assert refused.detail.startswith("concepts.0.name: ")


def test_names_of_old_read_an_answer_of_a_model_that_has_grown() -> None:
    class Part(BaseModel):
        size: float

    class Old(BaseModel):
        part: Part | None
        sort: str = "none"

    class New(BaseModel):
        new: str = Field("", description="Later")
        part: Part | None
        sort: str = "none"

    old = names_of(Old)
    assert (old, names_of(New)["part"]) == ({"part": "p", "part.size": "s", "sort": "s"}, "p")

    said = judge(Response("k", '{"p":{"s":2.5},"s":"x"}', "STOP"), on_diet(New, old))

    assert isinstance(said, Answered)
    assert said.answer.model_dump() == {"new": "", "part": {"size": 2.5}, "sort": "x"}


def test_the_diet_is_refused_where_no_schema_could_say_its_names() -> None:
    songs = replace(backfills.declared()["songs"], wire="diet", google_search=True)

    [said] = refusals(replace(songs, model="gemini-2.5-flash"), models())

    assert said.startswith('wire is "diet", and beside google_search gemini-2.5-flash takes no')
    assert not list(refusals(songs, models()))
