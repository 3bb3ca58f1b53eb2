"""How a song feels and whom it reaches: CSV in, CSV out."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from tasks.core.backfill import Answer, Backfill, Options, Record
from tasks.core.gates import Gate
from tasks.core.identity import names
from tasks.core.places import CsvColumns, CsvRows

MOST_SUBGENRES = 3


class SongOptions(Options):
    """What a site may choose: the closed list of its subgenres; an empty one closes nothing."""

    subgenres: tuple[str, ...] = ()


class SongAnswer(BaseModel):
    """What there is to say about one song; a site may close the list of subgenres."""

    reasoning: str = Field(min_length=1, description="Why these, two or three sentences")
    context_used: str = Field(description="What is known of the song, one or two sentences")
    energy: Literal["Very Low", "Low", "Medium", "High", "Very High"]
    accessibility: Literal["Eclectic", "Timeless", "Commercial", "Cheesy"]
    subgenres: list[str] = Field(
        min_length=1, max_length=MOST_SUBGENRES, description="The most fitting first"
    )
    doubtful: bool = Field(default=False, description="True where a person should look at it")


def answer(options: SongOptions) -> type[BaseModel]:
    """Return the model of an answer; a subgenre outside the site's list is no answer."""
    if not options.subgenres:
        return SongAnswer
    subgenre: Any = Literal[options.subgenres]
    told = SongAnswer.model_fields["subgenres"]
    return create_model("SongAnswer", __base__=SongAnswer, subgenres=(list[subgenre], told))


def records(answer: Answer) -> Iterator[Record]:
    """Yield the song's new columns."""
    value: SongAnswer = answer.value
    subgenres = names(value.subgenres)
    padded: list[str | None] = [*subgenres, *[None] * MOST_SUBGENRES][:MOST_SUBGENRES]
    yield {
        "status": "HUMAN_REVIEW" if value.doubtful else "SUCCESS",
        "reasoning": value.reasoning.strip(),
        "context_used": value.context_used.strip(),
        "energy": value.energy,
        "accessibility": value.accessibility,
        **{f"subgenre_{place}": each for place, each in enumerate(padded, start=1)},
        "_grounding": answer.grounding_metadata,
    }


BACKFILL = Backfill(
    name="songs",
    title="Songs",
    extractor_version="gemini_batch_v1",
    answer=answer,
    records=records,
    options=SongOptions(),
    source=CsvRows(text="{artist} - {title}"),
    target=CsvColumns(prefix="ai_"),
    gates=(
        Gate("usable", "Share of usable answers", at_least=0.95),
        Gate("null_subgenre_1", "Share of songs without a subgenre", at_most=0.0),
    ),
    output_tokens=70,
    max_output_tokens=2048,
    waves=(100, 500, 2000),
    wave_gate=Gate("usable", "The wave's share of usable answers", at_least=0.95),
)
