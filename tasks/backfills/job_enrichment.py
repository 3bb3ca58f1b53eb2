"""What a job advert asks for, and a real vector of it, where only a placeholder stands."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from tasks.core.backfill import Answer, Backfill, Embedding, Record
from tasks.core.gates import Gate
from tasks.core.identity import names
from tasks.core.places import InPlace, Rows


class JobAnswer(BaseModel):
    """What one advert says."""

    skills: list[str] = Field(max_length=30, description="As the advert names them, each once")
    seniority: Literal["Intern", "Junior", "Mid", "Senior", "Lead", "Executive", "Unspecified"]
    summary: str = Field(min_length=1, description="Two or three sentences for a job seeker")


def records(answer: Answer) -> Iterator[Record]:
    """Yield the advert's new columns, whatever types they have in the table."""
    value: JobAnswer = answer.value
    yield {
        "skills": names(value.skills),
        "seniority": value.seniority,
        "summary": value.summary.strip(),
        "embedding": answer.embedding,
    }


BACKFILL = Backfill(
    name="job_enrichment",
    title="Job adverts",
    extractor_version="gemini_enrichment_v1",
    answer=JobAnswer,
    records=records,
    source=Rows("jobs_enriched", id="id", text="{description}", name="{position} at {company}"),
    target=InPlace(
        columns=("skills", "seniority", "summary", "embedding"),
        # A real vector is done, whoever wrote it.
        done_when="backfill.embedding_flaw(to_jsonb(embedding), 768) is null",
    ),
    gates=(
        Gate("usable", "Share of usable answers", at_least=0.95),
        Gate("real_embeddings", "Share of written rows with a real embedding", at_least=1.0),
    ),
    output_tokens=40,
    embedding=Embedding("gemini-embedding-001", 768),
    interactive_up_to=500,
)
