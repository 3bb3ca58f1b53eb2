"""What a job advert asks for, and a real vector of it, where only a placeholder stands."""

from collections.abc import Iterator
from typing import Literal

import orjson
from pydantic import BaseModel, Field

from tasks.core.backfill import Answer, Backfill, Embedding, Record, Table
from tasks.core.gates import Gate

DIMENSIONS = 768
"""sql/queries/job_enrichment.sql looks for vectors of so many numbers."""


class JobAnswer(BaseModel):
    """What one advert says."""

    skills: list[str] = Field(max_length=30, description="As the advert names them, each once")
    seniority: Literal["Intern", "Junior", "Mid", "Senior", "Lead", "Executive", "Unspecified"]
    summary: str = Field(min_length=1, description="Two or three sentences for a job seeker")


def records(answer: Answer) -> Iterator[Record]:
    """Yield the advert's new columns as one JSON object, whatever types the columns have."""
    value: JobAnswer = answer.value
    skills = {skill.strip().casefold(): skill.strip() for skill in value.skills if skill.strip()}
    columns = {
        "skills": list(skills.values()),
        "seniority": value.seniority,
        "summary": value.summary.strip(),
        "embedding": answer.embedding,
    }
    yield (answer.target.target_id, orjson.dumps(columns))


BACKFILL = Backfill(
    name="job_enrichment",
    title="Job adverts",
    extractor_version="gemini_enrichment_v1",
    model="gemini-2.5-flash-lite",
    answer=JobAnswer,
    records=records,
    tables=(
        Table(
            "jobs_enriched",
            ("id", "description", "skills", "seniority", "summary", "embedding"),
            ("select", "update"),
        ),
    ),
    checkpoint="gemini_job_enrichment",
    gates=(
        Gate("usable", "Share of usable answers", at_least=0.95),
        Gate("real_embeddings", "Share of written rows with a real embedding", at_least=1.0),
    ),
    output_tokens=250,
    max_output_tokens=2048,
    embedding=Embedding("gemini-embedding-001", DIMENSIONS),
    interactive_up_to=500,
)
