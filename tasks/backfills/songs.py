"""How a song feels and whom it reaches: CSV in, CSV out."""

from collections.abc import Iterator
from typing import Literal

import orjson
from pydantic import BaseModel, Field

from tasks.core.backfill import Answer, Backfill, CsvExchange, Record, Table
from tasks.core.gates import Gate

ORIGINAL = ("song_id", "title", "artist", "album", "year", "genre", "bpm", "tags")
SUBGENRES = ("subgenre_1", "subgenre_2", "subgenre_3")
GENERATED = (
    "energy",
    "accessibility",
    *SUBGENRES,
    "reasoning",
    "context",
    "confidence",
)


class SongAnswer(BaseModel):
    """What there is to say about one song."""

    energy: Literal["Very low", "Low", "Medium", "High", "Very high"]
    accessibility: Literal["Eclectic", "Timeless", "Commercial", "Cheesy"]
    subgenres: list[str] = Field(
        min_length=1, max_length=len(SUBGENRES), description="The most fitting first"
    )
    reasoning: str = Field(min_length=1, description="Why these categories, two or three sentences")
    context: str = Field(description="Where the song comes from, one or two sentences")
    confidence: float = Field(ge=0, le=1)


def records(answer: Answer) -> Iterator[Record]:
    """Yield the song's one row."""
    value: SongAnswer = answer.value
    subgenres = [each.strip() for each in value.subgenres if each.strip()]
    found = answer.grounding_metadata
    yield (
        answer.target.target_id,
        value.energy,
        value.accessibility,
        *(subgenres + [None] * len(SUBGENRES))[: len(SUBGENRES)],
        value.reasoning.strip(),
        value.context.strip(),
        value.confidence,
        None if found is None else orjson.dumps(found),
        answer.model,
        answer.extractor_version,
        answer.created_at,
    )


BACKFILL = Backfill(
    name="songs",
    title="Songs",
    extractor_version="gemini_batch_v1",
    model="gemini-2.5-flash-lite",
    answer=SongAnswer,
    records=records,
    tables=(
        Table("songs", ("row_number", *ORIGINAL, "target_id", "content")),
        Table(
            "song_profiles",
            (
                "song_id",
                *GENERATED,
                "grounding",
                "extractor_model",
                "extractor_version",
                "created_at",
            ),
            ("select", "insert", "delete"),
        ),
    ),
    checkpoint="gemini_songs",
    gates=(
        Gate("usable", "Share of usable answers", at_least=0.95),
        Gate("subgenres_per_song", "Subgenres per song", at_least=1, at_most=3),
    ),
    output_tokens=220,
    max_output_tokens=2048,
    waves=(100, 500, 2000),
    wave_gate=Gate("usable", "The wave's share of usable answers", at_least=0.95),
    csv=CsvExchange(ORIGINAL, GENERATED),
)
