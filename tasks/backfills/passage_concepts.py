"""Which concepts a passage is about, each with the words that show it."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from tasks.core import concepts
from tasks.core.backfill import Answer, Backfill, Record, Table
from tasks.core.gates import Gate


class Concept(concepts.Concept):
    """One concept, and where the passage speaks of it."""

    type: Literal[
        "method",
        "domain",
        "model",
        "dataset",
        "metric",
        "task",
        "tool",
        "theory",
        "entity",
        "other",
    ]


class PassageAnswer(BaseModel):
    """The concepts of one passage, the most important first."""

    concepts: list[Concept]


def records(answer: Answer) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the passage."""
    return concepts.rows(answer, answer.value.concepts)


BACKFILL = Backfill(
    name="passage_concepts",
    title="Passage concepts",
    extractor_version="gemini_batch_v1",
    model="gemini-2.5-flash-lite",
    answer=PassageAnswer,
    records=records,
    tables=(
        Table("passages", ("passage_id", "passage_text")),
        Table(
            "passage_concepts",
            ("passage_id", *concepts.COLUMNS),
            ("select", "insert", "delete"),
        ),
    ),
    checkpoint="gemini_passage_concepts",
    gates=(
        Gate("evidence_coverage", "Share of concepts with evidence", at_least=0.99),
        Gate("concepts_per_passage", "Concepts per passage", at_least=4, at_most=14),
        Gate("unparseable", "Share of unparseable responses", at_most=0.01),
    ),
    output_tokens=480,
)
