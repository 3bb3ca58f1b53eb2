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

_SHAPES = 3
_BETWEEN = 0.73
_LONG = 10
Schema = Mapping[str, Any]


@cache
def records_of(backfill: Backfill, number: int = 0) -> tuple[Record, ...]:
    """Return the records of a made-up answer; none where its model takes no such answer."""
    value = example(backfill.answer_model, number)
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


def different_records(backfill: Backfill) -> list[Record]:
    """Return a record of each of several answers, which differ in words, numbers and lengths.

    Together they have every word of a closed vocabulary, the smallest and the largest number.
    """
    closed = [len(words) for _, words in _closed("", response_schema(backfill.answer_model))]
    found = [records_of(backfill, number) for number in range(max([_SHAPES, *closed]))]
    return [records[0] for records in found if records]


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


def example(model: type[BaseModel], number: int = 0) -> BaseModel | None:
    """Return one of several answers that fit a model's schema; None where that is not enough.

    The first of them is as small as the schema allows.
    """
    try:
        return model.model_validate(_value(response_schema(model), number))
    except ValidationError:
        return None


def _value(schema: Schema, number: int) -> object:
    match schema["type"]:
        case "OBJECT":
            return {name: _value(each, number) for name, each in schema["properties"].items()}
        case "ARRAY":
            return [_value(schema["items"], number)] * max(1, schema.get("minItems", 1))
        case "STRING":
            return _text(schema, number)
        case "BOOLEAN":
            return bool(number % 2)
        case kind:
            return _number(schema, kind, number)


def _number(schema: Schema, kind: str, number: int) -> int | float:
    smallest = schema.get("minimum", schema.get("maximum", 1))
    largest = schema.get("maximum", smallest)
    between = smallest + (largest - smallest) * _BETWEEN if largest > smallest else smallest + 0.5
    if "maximum" in schema:
        between = min(between, largest)
    value = (smallest, between, largest)[number % _SHAPES]
    return int(value) if kind == "INTEGER" else float(value)


def _text(schema: Schema, number: int) -> str:
    if "enum" in schema:
        return str(schema["enum"][number % len(schema["enum"])])
    if "format" in schema:
        return TIME
    text = (TEXT, TEXT[0], " ".join([TEXT] * _LONG))[number % _SHAPES]
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), ".")


def _closed(name: str, schema: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    if "enum" in schema:
        yield name, tuple(schema["enum"])
    elif schema["type"] == "ARRAY":
        yield from _closed(name, schema["items"])
    elif schema["type"] == "OBJECT":
        for field, each in schema["properties"].items():
            yield from _closed(field, each)
