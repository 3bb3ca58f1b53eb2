"""Which concepts a piece of source code is about, each with the code that shows it."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from tasks.core import concepts
from tasks.core.backfill import Answer, Backfill, Record, Table
from tasks.core.gates import Gate


class Concept(concepts.Concept):
    """One concept, and where the code shows it."""

    type: Literal[
        "algorithm",
        "data_structure",
        "pattern",
        "protocol",
        "format",
        "library",
        "resource",
        "error_handling",
        "domain",
        "other",
    ]


class ChunkAnswer(BaseModel):
    """The concepts of one code chunk, the most important first."""

    concepts: list[Concept]


def records(answer: Answer) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the code."""
    return concepts.rows(answer, answer.value.concepts)


BACKFILL = Backfill(
    name="chunk_concepts",
    title="Code chunk concepts",
    extractor_version="gemini_batch_v1",
    model="gemini-2.5-flash-lite",
    answer=ChunkAnswer,
    records=records,
    tables=(
        Table("code_chunks", ("chunk_id", "content")),
        Table(
            "chunk_concepts",
            ("chunk_id", *concepts.COLUMNS),
            ("select", "insert", "delete"),
        ),
    ),
    checkpoint="gemini_chunk_concepts",
    gates=(
        Gate("evidence_coverage", "Share of concepts with evidence", at_least=0.99),
        Gate("concepts_per_chunk", "Concepts per chunk", at_least=3, at_most=14),
        Gate("unparseable", "Share of unparseable responses", at_most=0.01),
    ),
    output_tokens=480,
)
