"""Concepts as rows: one per canonical name, each with its evidence."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import ValidationError

from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.backfill import Answer, Target
from tasks.core.concepts import Concept, ConceptAnswer, ConceptOptions, answer
from tasks.core.grounding import Text
from tasks.core.template import Part

PASSAGE = "Gradient descent minimises a loss. The Adam optimiser adapts its step size."


def concept(name: str, *quotes: str) -> Concept:
    return Concept(
        name=name, type="method", aliases=[], confidence=0.9, surface=name, quotes=list(quotes)
    )


def rows_of(
    *concepts: Concept,
    parts: tuple[Part, ...] = (),
    options: ConceptOptions = ConceptOptions(),  # noqa: B008 - frozen
) -> tuple[list[Any], Counter[str]]:
    counts: Counter[str] = Counter()
    answer = Answer(
        target=Target(UUID(int=1), "7", PASSAGE, parts),
        value=ConceptAnswer(concepts=list(concepts)),
        lost_items=False,
        model="m",
        extractor_version="v",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        grounding=Text(PASSAGE),
        counts=counts,
        options=options,
    )
    return list(BACKFILL.records(answer)), counts


def test_a_concept_becomes_a_row_whose_quote_stands_where_it_says() -> None:
    [row], counts = rows_of(concept("Adam optimiser", "adam  optimiser adapts"))

    evidence = orjson.loads(row["evidence"])
    [support] = evidence["support"]
    assert PASSAGE[support["start"] : support["end"]] == support["quote"] == "Adam optimiser adapts"
    assert evidence["quality"] == {"confidence": 0.9, "notes": "normalised"}
    assert counts["match:normalised"] == 1


def test_a_row_has_the_columns_that_are_not_the_engines() -> None:
    [row], _ = rows_of(concept("Adam", "Adam optimiser"))

    assert list(row) == ["concept_name", "concept_type", "aliases", "confidence", "evidence"]


def test_in_a_text_of_several_columns_the_evidence_names_one() -> None:
    parts = (Part("first", 0, 34), Part("second", 35, len(PASSAGE)))

    [row], counts = rows_of(concept("Adam", "Adam optimiser", "a loss. The Adam"), parts=parts)

    support = orjson.loads(row["evidence"])["support"]
    assert support == [{"quote": "Adam optimiser", "column": "second", "start": 4, "end": 18}]
    assert counts["match:unplaced"] == 1


def test_a_quote_that_is_nowhere_is_noted_and_has_no_offsets() -> None:
    [row], counts = rows_of(concept("Adam", "a sentence that nobody ever wrote in this place"))

    evidence = orjson.loads(row["evidence"])
    assert evidence["support"] == []
    assert "not found" in evidence["quality"]["notes"]
    assert counts["match:unplaced"] == 1


def test_one_name_is_one_row_however_it_is_written() -> None:
    rows, _ = rows_of(concept("Step size", "Adam"), concept(" step-SIZE ", "Adam"))

    assert [row["concept_name"] for row in rows] == ["step_size"]


def test_a_site_may_keep_names_as_they_are_written() -> None:
    style = ConceptOptions(name_style="as_written")

    rows, _ = rows_of(concept(" Step size "), concept("STEP SIZE"), options=style)

    assert [row["concept_name"] for row in rows] == ["Step size"]


@pytest.mark.parametrize("style", ["snake_case", "as_written"])
def test_names_that_differ_in_what_nobody_sees_are_one_row(style: Any) -> None:
    written = ["Deep learning", "deep  learning", "deep\u00a0learning", "\u200bDeep Learning"]
    written += ["\u202edeep learning\u202c", "deep lea\u00adrning", "\u200b", "\u2060\u3164"]

    rows, _ = rows_of(*map(concept, written), options=ConceptOptions(name_style=style))

    assert [row["concept_name"].replace("_", " ").lower() for row in rows] == ["deep learning"]


def test_aliases_have_nothing_unseen_and_each_is_there_once() -> None:
    said = concept("Adam")
    said.aliases = ["ADAM\u200b", "adam", "\u202eAda\x08m", "\u200b", " Ada "]

    [row], _ = rows_of(said)

    assert row["aliases"] == ["ADAM", "Ada"]


def test_a_name_without_a_letter_is_no_concept() -> None:
    assert rows_of(concept("?!"))[0] == []


def test_a_type_outside_the_sites_vocabulary_is_no_answer() -> None:
    model = answer(ConceptOptions(concept_types=("gene", "drug")))
    said = concept("Adam").model_dump()

    with pytest.raises(ValidationError, match="'gene' or 'drug'"):
        model.model_validate({"concepts": [said]})
    assert model.model_validate({"concepts": [{**said, "type": "gene"}]})
