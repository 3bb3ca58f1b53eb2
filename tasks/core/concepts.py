"""Concepts with the words that show them: what backfills of concepts have in common."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from tasks.core.backfill import Answer, Options, Record
from tasks.core.evidence import PassageEvidence
from tasks.core.grounding import Match, Span
from tasks.core.names import snake_case

_COUNTED = {match: f"match:{match}" for match in Match}

TYPES = (
    "method",
    "objective",
    "prior",
    "model",
    "dataset",
    "field",
    "math_object",
    "metric",
    "domain",
    "algorithm",
    "technique",
)
"""What a concept may be, where a site names no vocabulary of its own."""


class ConceptOptions(Options):
    """What a site may choose for a backfill of concepts."""

    concept_types: tuple[str, ...] = Field(TYPES, min_length=2)
    name_style: Literal["snake_case", "as_written"] = "snake_case"


class Concept(BaseModel):
    """One concept, and where the text speaks of it; a site narrows the type."""

    name: str = Field(min_length=1, description="Usual short name, at most six words")
    type: str
    aliases: list[str] = Field(description="Other names that the text itself uses")
    confidence: float = Field(ge=0, le=1)
    surface: str = Field(description="The concept as the text words it, copied exactly")
    quotes: list[str] = Field(description="One or two spans copied character by character")


class ConceptAnswer(BaseModel):
    """The concepts of one text, the most important first."""

    concepts: list[Concept]


def answer(options: ConceptOptions) -> type[BaseModel]:
    """Return the model of an answer whose concepts are of the site's types."""
    types: Any = Literal[options.concept_types]
    concept: Any = create_model("Concept", __base__=Concept, type=(types, ...))
    return create_model("ConceptAnswer", __base__=ConceptAnswer, concepts=(list[concept], ...))


def records(answer: Answer) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the target's text."""
    evidence = PassageEvidence(answer.grounding, answer.target.parts)
    named = _by_name(answer.value.concepts, answer.options.name_style)
    spans: list[Span] = []
    quotes = 0
    for name, concept in named.items():
        found = evidence.about(concept.surface, concept.quotes, concept.confidence)
        spans += found.spans
        quotes += len(concept.quotes)
        yield {
            "concept_name": name,
            "concept_type": concept.type,
            "aliases": concept.aliases,
            "confidence": concept.confidence,
            "evidence": found.json,
        }
    answer.counts.update([_COUNTED[span.match] for span in spans])
    answer.counts["match:unplaced"] += quotes - len(spans)
    answer.counts["concepts"] += len(named)


def _by_name(concepts: Sequence[Concept], style: str) -> dict[str, Concept]:
    """Return the concepts by their canonical names; the first of a name is the more important."""
    canonical: Callable[[str], str] = snake_case if style == "snake_case" else str.strip
    named: dict[str, tuple[str, Concept]] = {}
    for concept in concepts:
        name = canonical(concept.name)
        named.setdefault(name.casefold(), (name, concept))
    named.pop("", None)
    return dict(named.values())
