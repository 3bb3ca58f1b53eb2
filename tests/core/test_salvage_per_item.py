"""One wrong value costs its item and no more; what is plainly meant costs nothing."""

from typing import Annotated, Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tasks import backfills
from tasks.core.answers import Answered, BadReason, Refused, judge
from tasks.core.responses import Response

CONCEPT = {
    "name": "Adam",
    "type": "method",
    "aliases": ["ADAM"],
    "confidence": 0.9,
    "surface": "Adam",
    "quotes": ["Adam adapts"],
}
ADVERT = {"skills": ["Python", "SQL"], "seniority": "Senior", "summary": "Build pipelines."}
SONG = {
    "reasoning": "Loud.",
    "context_used": "A hit.",
    "energy": "High",
    "accessibility": "Timeless",
    "subgenres": ["Power Pop"],
}


def read(backfill: str, value: object, finish: str = "STOP") -> Any:
    text = orjson.dumps(value).decode()
    return judge(Response("k", text, finish), backfills.get(backfill).answer_model)


def eight(**wrong: object) -> dict[str, object]:
    """Return eight concepts; the third is wrong in some fields."""
    concepts = [{**CONCEPT, "name": f"concept {number}"} for number in range(8)]
    concepts[2] |= wrong
    return {"concepts": concepts}


@pytest.mark.parametrize(
    ("field", "wrong", "meant"),
    [
        ("confidence", 95, 0.95),
        ("confidence", 100, 1.0),
        ("confidence", 87.5, 0.875),
        ("confidence", "0.9", 0.9),
        ("confidence", " 0.9 ", 0.9),
        ("confidence", "95", 0.95),
        ("confidence", "95%", 0.95),
        ("confidence", "1 %", 0.01),
        ("aliases", None, []),
        ("quotes", None, []),
        ("surface", None, ""),
        ("aliases", "ADAM", ["ADAM"]),
        ("quotes", "Adam, and more", ["Adam, and more"]),
        ("type", "Method", "method"),
        ("type", " METHOD\n", "method"),
        ("type", "math object", "math_object"),
        ("type", "Math-Object", "math_object"),
    ],
)
def test_what_is_plainly_meant_is_mended(field: str, wrong: object, meant: object) -> None:
    said = read("passage_concepts", eight(**{field: wrong}))

    assert len(said.answer.concepts) == 8
    assert getattr(said.answer.concepts[2], field) == meant
    assert said.mended == (f"mended:concepts.{field}",)
    assert not said.repaired


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("confidence", None),
        ("confidence", 101),
        ("confidence", -0.5),
        ("confidence", "high"),
        ("confidence", [0.9]),
        ("confidence", True),
        ("type", "recipe"),
        ("type", None),
        ("type", ["method"]),
        ("name", ""),
        ("name", None),
        ("name", {"en": "Adam"}),
        ("aliases", {"en": "ADAM"}),
    ],
)
def test_an_item_that_cannot_be_mended_goes_alone(field: str, wrong: object) -> None:
    said = read("passage_concepts", eight(**{field: wrong}))

    names = [concept.name for concept in said.answer.concepts]
    assert names == [f"concept {number}" for number in range(8) if number != 2]
    assert said.mended == (f"dropped:concepts.{field}",)


def test_an_item_without_a_field_goes_alone_and_one_without_a_list_has_an_empty_one() -> None:
    value = eight()
    del value["concepts"][1]["confidence"]  # type: ignore[index]
    del value["concepts"][2]["aliases"]  # type: ignore[index]

    said = read("passage_concepts", value)

    assert len(said.answer.concepts) == 7
    assert said.answer.concepts[1].aliases == []
    assert said.mended == ("dropped:concepts.confidence", "mended:concepts.aliases")


def test_of_a_list_of_words_only_the_wrong_ones_go() -> None:
    said = read("passage_concepts", eight(aliases=["ADAM", 5, None, "adam"]))

    assert said.answer.concepts[2].aliases == ["ADAM", "adam"]
    assert said.mended == ("dropped:concepts.aliases",) * 2


def test_what_was_mended_in_an_item_that_is_dropped_is_not_counted() -> None:
    said = read("passage_concepts", eight(confidence="0.9", type="recipe"))

    assert said.mended == ("dropped:concepts.type",)


@pytest.mark.parametrize("number", [31, 40, 400])
def test_of_too_many_items_the_first_are_kept(number: int) -> None:
    skills = [f"skill {each}" for each in range(number)]

    said = read("job_enrichment", {**ADVERT, "skills": skills})

    assert said.answer.skills == skills[:30]
    assert said.mended == ("dropped:skills",) * (number - 30)


def test_wrong_items_do_not_count_among_the_first() -> None:
    skills = [7, *[f"skill {each}" for each in range(30)]]

    said = read("job_enrichment", {**ADVERT, "skills": skills})

    assert said.answer.skills == skills[1:]
    assert said.mended == ("dropped:skills",)


@pytest.mark.parametrize("wrong", ["senior", "SENIOR ", "Senior\u00a0"])
def test_a_word_of_a_vocabulary_at_the_top_is_mended(wrong: str) -> None:
    said = read("job_enrichment", {**ADVERT, "seniority": wrong})

    assert said.answer.seniority == "Senior"
    assert said.mended == ("mended:seniority",)


def test_a_missing_list_beside_other_things_is_no_list_without_anything() -> None:
    said = read("job_enrichment", {**ADVERT, "skills": None})

    assert said.answer.skills == []


@pytest.mark.parametrize(
    ("backfill", "wrong", "detail"),
    [
        ("job_enrichment", {"seniority": "Wizard"}, "seniority"),
        ("job_enrichment", {"summary": ""}, "summary"),
        ("job_enrichment", {"summary": None}, "summary"),
        ("job_enrichment", {"skills": [1, 2]}, "skills"),
        ("job_enrichment", {"skills": "Python, SQL"}, "skills"),
        ("songs", {"subgenres": []}, "subgenres"),
        ("songs", {"subgenres": None}, "subgenres"),
        ("songs", {"subgenres": [None, 4], "energy": "high"}, "subgenres"),
        ("songs", {"energy": "Loud"}, "energy"),
    ],
)
def test_a_required_field_that_cannot_be_mended_is_no_answer(
    backfill: str, wrong: dict[str, object], detail: str
) -> None:
    said = read(backfill, {**(ADVERT if backfill == "job_enrichment" else SONG), **wrong})

    assert isinstance(said, Refused)
    assert said.reason is BadReason.WRONG_SHAPE
    assert said.detail.startswith(detail)


@pytest.mark.parametrize(
    "value",
    [
        {"concepts": None},
        {"concepts": [{"name": "a"}]},
        {"concepts": [None]},
        {"concepts": ["Adam", "SGD"]},
        {"concepts": None, "comment": "nothing here"},
        eight(confidence=None)["concepts"],
        {"items": eight()["concepts"]},
    ],
)
def test_where_nothing_is_left_it_is_asked_again_and_is_not_empty(value: object) -> None:
    said = read("passage_concepts", value)

    assert isinstance(said, Refused)
    assert said.reason.is_asked_again


def test_an_answer_that_holds_nothing_is_an_answer() -> None:
    said = read("passage_concepts", {"concepts": []})

    assert isinstance(said, Answered)
    assert said.mended == ()


def test_an_optional_field_that_is_wrong_has_its_default() -> None:
    said = read("songs", {**SONG, "doubtful": "perhaps"})

    assert said.answer.doubtful is False
    assert said.mended == ("dropped:doubtful",)
    assert read("songs", {**SONG, "doubtful": "True"}).answer.doubtful is True


def test_what_is_mended_may_stand_in_a_fence_and_be_slightly_wrong_too() -> None:
    text = orjson.dumps(eight(confidence=95)).decode().replace("}]}", "},]}")
    model = backfills.get("passage_concepts").answer_model

    said = judge(Response("k", f"```json\n{text}\n```", "STOP"), model)

    assert isinstance(said, Answered)
    assert (said.repaired, said.mended) == (True, ("mended:concepts.confidence",))


def test_of_an_answer_that_was_cut_off_nothing_is_filled_in() -> None:
    text = orjson.dumps(eight(confidence=95)).decode()
    model = backfills.get("passage_concepts").answer_model

    said = judge(Response("k", text[:-20], "MAX_TOKENS"), model)

    assert isinstance(said, Refused)
    assert said.salvaged is not None
    assert [each.name for each in said.salvaged.answer.concepts] == [  # type: ignore[attr-defined]
        f"concept {number}" for number in range(7)
    ]
    assert said.salvaged.mended == ("mended:concepts.confidence",)


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("odd")
    return number


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=0, le=100), AfterValidator(_even)]
    kind: Literal["C", "C++", "c", "plain"] | None = None
    tags: list[Annotated[str, Field(max_length=5)]] = []


class Parts(BaseModel):
    """Nested, optional, closed, with rules of its own."""

    parts: list[Part]
    spare: Part | None = None
    inner: list[list[int]] = []


@pytest.mark.parametrize(
    ("value", "answer", "notes"),
    [
        ({"parts": [{"size": 2}, {"size": 3}]}, {"parts": [{"size": 2}]}, ["dropped:parts.size"]),
        ({"parts": [{"size": "4"}]}, {"parts": [{"size": 4}]}, ["mended:parts.size"]),
        ({"parts": [{"size": 4.0}]}, {"parts": [{"size": 4}]}, ["mended:parts.size"]),
        ({"parts": [{"size": "4%"}]}, {"parts": [{"size": 4}]}, ["mended:parts.size"]),
        (
            {"parts": [{"size": 2, "kind": "PLAIN", "odd": 1}]},
            {"parts": [{"size": 2, "kind": "plain"}]},
            ["mended:parts", "mended:parts.kind"],
        ),
        (
            {"parts": [{"size": 2, "kind": "c++", "tags": ["a", "toolong"]}]},
            {"parts": [{"size": 2, "kind": "C++", "tags": ["a"]}]},
            ["mended:parts.kind", "dropped:parts.tags"],
        ),
        (
            {"parts": [{"size": 2, "kind": "D"}], "spare": {"size": "big"}},
            {"parts": [{"size": 2}]},
            ["dropped:parts.kind", "dropped:spare.size"],
        ),
        (
            {"parts": [{"size": 2}], "inner": [[1, "2"], "no", [None]]},
            {"parts": [{"size": 2}], "inner": [[1, 2], []]},
            ["mended:inner", "dropped:inner", "dropped:inner"],
        ),
    ],
)
def test_any_model_is_mended(
    value: dict[str, object], answer: dict[str, object], notes: list[str]
) -> None:
    said = judge(Response("k", orjson.dumps(value).decode(), "STOP"), Parts)

    assert isinstance(said, Answered)
    assert said.answer == Parts.model_validate(answer)
    assert list(said.mended) == notes


def test_a_word_that_may_be_two_words_of_the_vocabulary_is_neither() -> None:
    class Tool(BaseModel):
        language: Literal["Go lang", "GO-LANG"]

    assert isinstance(judge(Response("k", '{"language":"golang"}', "STOP"), Tool), Refused)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*CONCEPT]), inner),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(CONCEPT, values)) | values))
def test_whatever_the_items_are_what_is_kept_fits_the_model_and_the_good_one_stays(
    items: list[object],
) -> None:
    model = backfills.get("passage_concepts").answer_model

    said = read("passage_concepts", {"concepts": [*items, CONCEPT]})

    assert isinstance(said, Answered)
    assert said.answer.concepts[-1].model_dump() == CONCEPT  # type: ignore[attr-defined]
    assert len(said.answer.concepts) <= len(items) + 1  # type: ignore[attr-defined]
    assert model.model_validate(said.answer.model_dump(), strict=True) == said.answer
