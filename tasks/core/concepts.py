"""Concepts with the words that show them: what backfills of concepts have in common."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from tasks.core.backfill import Answer, Record
from tasks.core.evidence import PassageEvidence
from tasks.core.grounding import Match, Span

COLUMNS = (
    "concept_name",
    "concept_type",
    "aliases",
    "confidence",
    "extractor_model",
    "extractor_version",
    "evidence",
    "created_at",
)
"""The columns of a table of concepts, after the one that says what the concept is about."""

_COUNTED = {match: f"match:{match}" for match in Match}


class Concept(BaseModel):
    """One concept, and where the text speaks of it; a backfill narrows the type."""

    name: str = Field(min_length=1, description="Usual short name, at most six words")
    type: str
    aliases: list[str] = Field(description="Other names that the passage itself uses")
    confidence: float = Field(ge=0, le=1)
    surface: str = Field(description="The concept as the passage words it, copied exactly")
    quotes: list[str] = Field(description="One or two spans copied character by character")


def rows(answer: Answer, concepts: Sequence[Concept]) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the target's text."""
    evidence = PassageEvidence(answer.grounding)
    named = _by_name(concepts)
    spans: list[Span] = []
    quotes = 0
    for name, concept in named.values():
        found = evidence.about(concept.surface, concept.quotes, concept.confidence)
        spans += found.spans
        quotes += len(concept.quotes)
        yield (
            answer.target.target_id,
            name,
            concept.type,
            concept.aliases,
            concept.confidence,
            answer.model,
            answer.extractor_version,
            found.json,
            answer.created_at,
        )
    answer.counts.update([_COUNTED[span.match] for span in spans])
    answer.counts["match:unplaced"] += quotes - len(spans)
    answer.counts["concepts"] += len(named)


def _by_name(concepts: Sequence[Concept]) -> dict[str, tuple[str, Concept]]:
    """Return the concepts with names of their own; the first of a name is the more important."""
    named: dict[str, tuple[str, Concept]] = {}
    for concept in concepts:
        name = concept.name.strip()
        named.setdefault(name.casefold(), (name, concept))
    named.pop("", None)
    return named
