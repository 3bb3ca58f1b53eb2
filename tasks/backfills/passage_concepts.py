"""Which concepts a passage is about, each with the words that show it."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from tasks.core.backfill import Answer, Backfill, Record, Table
from tasks.core.evidence import PassageEvidence
from tasks.core.gates import Gate

ConceptType = Literal[
    "method", "domain", "model", "dataset", "metric", "task", "tool", "theory", "entity", "other"
]


class Concept(BaseModel):
    """One concept, and where the passage speaks of it."""

    name: str = Field(min_length=1, description="Usual short name, at most six words")
    type: ConceptType
    aliases: list[str] = Field(description="Other names that the passage itself uses")
    confidence: float = Field(ge=0, le=1)
    surface: str = Field(description="The concept as the passage words it, copied exactly")
    quotes: list[str] = Field(description="One or two spans copied character by character")


class PassageAnswer(BaseModel):
    """The concepts of one passage, the most important first."""

    concepts: list[Concept]


def records(answer: Answer) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the passage."""
    evidence = PassageEvidence(answer.grounding)
    for concept in _by_name(answer.value):
        found = evidence.about(concept.surface, concept.quotes, concept.confidence)
        answer.counts.update(f"match:{span.match}" for span in found.spans)
        answer.counts["match:unplaced"] += len(concept.quotes) - len(found.spans)
        answer.counts["concepts"] += 1
        yield (
            answer.target.target_id,
            concept.name.strip(),
            concept.type,
            concept.aliases,
            concept.confidence,
            answer.model,
            answer.extractor_version,
            found.json,
            answer.created_at,
        )


def _by_name(answer: PassageAnswer) -> list[Concept]:
    """Return the concepts with names of their own; the first of a name is the more important."""
    named: dict[str, Concept] = {}
    for concept in answer.concepts:
        named.setdefault(concept.name.strip().casefold(), concept)
    named.pop("", None)
    return list(named.values())


BACKFILL = Backfill(
    name="passage_concepts",
    title="Passage concepts",
    extractor_version="gemini_batch_v1",
    model="gemini-2.5-flash-lite",
    answer=PassageAnswer,
    records=records,
    tables=(
        Table("passages", ("passage_id", "text")),
        Table(
            "passage_concepts",
            (
                "passage_id",
                "concept_name",
                "concept_type",
                "aliases",
                "confidence",
                "extractor_model",
                "extractor_version",
                "evidence",
                "created_at",
            ),
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
