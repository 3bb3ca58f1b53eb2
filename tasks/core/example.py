"""What a backfill's records look like before there is any: from an answer made up by its schema."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from tasks.core.backfill import Answer, Backfill, Record, Target
from tasks.core.grounding import Text
from tasks.core.requests import response_schema

TEXT = "An example of a text."
TIME = "2026-01-01T00:00:00Z"
"""The only format that a response schema can say is a time's."""

Schema = Mapping[str, Any]


@cache
def records_of(backfill: Backfill) -> tuple[Record, ...]:
    """Return the records of a made-up answer; none where its model takes no such answer."""
    value = example(backfill.answer_model)
    if value is None:
        return ()
    spec = backfill.embedding
    answer = Answer(
        target=Target(UUID(int=0), "an id", TEXT),
        value=value,
        lost_items=False,
        model=backfill.model,
        extractor_version=backfill.extractor_version,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        grounding=Text(TEXT),
        counts=Counter(),
        options=backfill.options,
        embedding=[1.0] + [0.0] * (spec.dimensions - 1) if spec else None,
    )
    return tuple(backfill.records(answer))


def columns_of(backfill: Backfill) -> tuple[str, ...]:
    """Return the columns of the backfill's records, as far as an example shows them."""
    records = records_of(backfill)
    return tuple(records[0]) if records else ()


def vocabularies(backfill: Backfill) -> dict[str, tuple[str, ...]]:
    """Return the columns that hold words of a closed vocabulary of the answer's, with the words.

    A field's words stand in the column of the same name, or in one that ends with it.
    """
    columns = columns_of(backfill)
    found: dict[str, tuple[str, ...]] = {}
    for field, words in _closed("", response_schema(backfill.answer_model)):
        place = next((each for each in columns if each == field), None)
        place = place or next((each for each in columns if each.endswith(f"_{field}")), None)
        if place:
            found.setdefault(place, words)
    return found


def example(model: type[BaseModel]) -> BaseModel | None:
    """Return an answer as small as the model's schema allows; None where that is not enough."""
    try:
        return model.model_validate(_value(response_schema(model)))
    except ValidationError:
        return None


def _value(schema: Schema) -> object:
    match schema["type"]:
        case "OBJECT":
            return {name: _value(each) for name, each in schema["properties"].items()}
        case "ARRAY":
            return [_value(schema["items"])] * max(1, schema.get("minItems", 1))
        case "STRING":
            return _text(schema)
        case "BOOLEAN":
            return False
        case kind:
            number = schema.get("minimum", schema.get("maximum", 1))
            return int(number) if kind == "INTEGER" else float(number)


def _text(schema: Schema) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    if "format" in schema:
        return TIME
    return TEXT[: schema.get("maxLength", len(TEXT))].ljust(schema.get("minLength", 0), ".")


def _closed(name: str, schema: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    if "enum" in schema:
        yield name, tuple(schema["enum"])
    elif schema["type"] == "ARRAY":
        yield from _closed(name, schema["items"])
    elif schema["type"] == "OBJECT":
        for field, each in schema["properties"].items():
            yield from _closed(field, each)
