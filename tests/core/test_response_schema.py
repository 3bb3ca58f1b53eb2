from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal

import pytest
from google.genai import _transformers
from pydantic import BaseModel, ConfigDict, Field

from tasks.core.requests import response_schema


class Kind(StrEnum):
    METHOD = "method"
    DATASET = "dataset"


class Concept(BaseModel):
    name: str = Field(description="as in the text", min_length=1, max_length=60)
    kind: Kind
    confidence: float = Field(ge=0, le=1)
    aliases: list[str] = []
    year: int | None = None


class Concepts(BaseModel):
    concepts: list[Concept] = Field(min_length=0, max_length=20)
    language: Literal["en", "de"]


class Song(BaseModel):
    energy: Kind | None
    at: datetime
    code: Annotated[str, Field(pattern="^[A-Z]+$")]
    main: Concept | None = None
    only: Literal["yes"]
    explicit: bool


class Locked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    one: str
    two: list[list[int]]


class Node(BaseModel):
    value: str
    children: list["Node"]


def as_the_sdk_says_it(model: type[BaseModel]) -> dict[str, Any]:
    schema = _transformers.t_schema(None, model)
    return schema.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


def without(schema: Any, words: set[str]) -> Any:
    """Drop the words that are left unsaid on purpose, but not fields of the same name."""
    if isinstance(schema, list):
        return [without(item, words) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        word: {name: without(inner, words) for name, inner in value.items()}
        if word == "properties"
        else without(value, words)
        for word, value in schema.items()
        if word not in words
    }


@pytest.mark.parametrize("model", [Concept, Concepts, Song])
def test_a_schema_is_what_the_sdk_would_send_without_titles_and_defaults(
    model: type[BaseModel],
) -> None:
    said = response_schema(model)

    expected = without(as_the_sdk_says_it(model), {"title", "default"})
    assert said == expected


def test_forbidding_extra_fields_is_not_said_because_the_service_does_not_know_the_word() -> None:
    said = response_schema(Locked)

    assert "additional" not in str(said)
    assert said["properties"]["two"] == {
        "type": "ARRAY",
        "items": {"type": "ARRAY", "items": {"type": "INTEGER"}},
    }


def test_properties_keep_the_order_of_the_model() -> None:
    said = response_schema(Concepts)

    assert said["propertyOrdering"] == ["concepts", "language"]


def test_the_description_of_a_field_stands_before_that_of_its_type() -> None:
    class Inner(BaseModel):
        """The type's own words."""

        a: str

    class Outer(BaseModel):
        inner: Inner = Field(description="The field's words.")

    said = response_schema(Outer)

    assert said["properties"]["inner"]["description"] == "The field's words."


class Numbered(Enum):
    ONE = 1


def model_with(annotation: Any) -> type[BaseModel]:
    class Holder(BaseModel):
        __annotations__ = {"field": annotation}

    return Holder


@pytest.mark.parametrize(
    ("annotation", "complaint"),
    [
        (dict[str, int], "dictionary"),
        (dict, "without named fields|dictionary"),
        (int | str, "union"),
        (int | str | None, "union"),
        (tuple[int, str], "cannot say"),
        (set[str], "uniqueItems"),
        (Annotated[float, Field(gt=0)], "exclusiveMinimum"),
        (Any, "no single type"),
        (date, "format date"),
        (Literal[1, 2], "enum of other things"),
        (Literal[True], "enum of other things"),
        (Numbered, "enum of other things"),
        (BaseModel, "without named fields"),
        (None, "no single type"),
    ],
)
def test_what_the_subset_cannot_say_is_refused_by_name(annotation: Any, complaint: str) -> None:
    model = model_with(annotation)

    with pytest.raises(ValueError, match=rf"Holder\.field.*({complaint})"):
        response_schema(model)


def test_recursion_is_refused() -> None:
    with pytest.raises(ValueError, match="contains itself"):
        response_schema(Node)
