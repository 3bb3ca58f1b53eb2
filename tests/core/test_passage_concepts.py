from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import orjson

from tasks.backfills.passage_concepts import BACKFILL, Concept, PassageAnswer
from tasks.core.backfill import Answer, Target
from tasks.core.grounding import Text

PASSAGE = "Gradient descent minimises a loss. The Adam optimiser adapts its step size."


def concept(name: str, *quotes: str) -> Concept:
    return Concept(
        name=name, type="method", aliases=[], confidence=0.9, surface=name, quotes=list(quotes)
    )


def rows_of(*concepts: Concept) -> tuple[list, Counter]:
    counts: Counter[str] = Counter()
    answer = Answer(
        target=Target(UUID(int=1), "7", PASSAGE),
        value=PassageAnswer(concepts=list(concepts)),
        lost_items=False,
        model="m",
        extractor_version="v",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        grounding=Text(PASSAGE),
        counts=counts,
    )
    return list(BACKFILL.records(answer)), counts


def test_a_concept_becomes_a_row_whose_quote_stands_where_it_says() -> None:
    [row], counts = rows_of(concept("Adam optimiser", "adam  optimiser adapts"))

    evidence = orjson.loads(row[7])
    [support] = evidence["support"]
    assert PASSAGE[support["start"] : support["end"]] == support["quote"] == "Adam optimiser adapts"
    assert evidence["quality"] == {"confidence": 0.9, "notes": "normalised"}
    assert counts["match:normalised"] == 1


def test_a_quote_that_is_nowhere_is_noted_and_has_no_offsets() -> None:
    [row], counts = rows_of(concept("Adam", "a sentence that nobody ever wrote in this place"))

    evidence = orjson.loads(row[7])
    assert evidence["support"] == []
    assert "not found" in evidence["quality"]["notes"]
    assert counts["match:unplaced"] == 1


def test_one_name_is_one_row_however_it_is_written() -> None:
    rows, _ = rows_of(concept("Adam", "Adam"), concept(" ADAM ", "Adam"))

    assert [row[1] for row in rows] == ["Adam"]
