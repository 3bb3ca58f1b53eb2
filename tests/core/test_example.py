"""Records before there is any answer: from one that is made up by the schema."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from tasks import backfills
from tasks.core.backfill import Answer, Backfill, Record
from tasks.core.example import columns_of, example, vocabularies
from tasks.core.places import NewRows, Rows


class Inner(BaseModel):
    """A nested value."""

    word: str = Field(min_length=3, max_length=5)
    share: float = Field(ge=0.25, le=0.5)


class Wide(BaseModel):
    """Every kind of field that a response schema can say."""

    name: Annotated[str, Field(min_length=40)]
    kind: Literal["one", "two"]
    many: list[Inner] = Field(min_length=2)
    count: int = Field(ge=3)
    is_so: bool
    at: datetime
    maybe: str | None = None


def records(answer: Answer) -> Iterator[Record]:
    yield {"the_kind": answer.value.kind, "count": answer.value.count}


BACKFILL = Backfill(
    name="wide",
    title="Wide",
    extractor_version="v1",
    answer=Wide,
    records=records,
    source=Rows("t", id="id"),
    target=NewRows("u", id="id"),
    gates=(),
    output_tokens=10,
)


def test_an_example_is_an_answer_that_the_model_takes() -> None:
    value = example(Wide)

    assert isinstance(value, Wide)
    assert len(value.many) == 2
    assert value.many[0].share == 0.25
    assert value.at == datetime(2026, 1, 1, tzinfo=UTC)


def test_columns_and_closed_vocabularies_are_known_before_there_is_any_answer() -> None:
    assert columns_of(BACKFILL) == ("the_kind", "count")
    assert vocabularies(BACKFILL) == {"the_kind": ("one", "two")}


@pytest.mark.parametrize("name", backfills.declared())
def test_every_backfill_shows_its_columns_by_an_example(name: str) -> None:
    assert columns_of(backfills.declared()[name])
