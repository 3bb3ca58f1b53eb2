import json
import math
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from tasks import backfills
from tasks.core.twins import Twin, reader


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    name: str = Field(min_length=1, max_length=3)
    weight: float | None = Field(None, gt=0, lt=10)


class Whole(BaseModel):
    """All that a twin can mirror."""

    count: int = Field(ge=0, le=2**60)
    share: float
    sure: bool
    colour: Colour
    kind: Literal["a", "b"]
    parts: list[Part] = Field(min_length=1, max_length=2)
    best: Part | None
    words: list[str] = []
    note: str | None = None
    more: list[float] = Field(default_factory=list)

    def heaviest(self) -> float:
        return max(part.weight or 0 for part in self.parts)


MODELS: list[type[BaseModel]] = [Whole, *(backfills.get(name).answer for name in backfills.names())]
GOOD = {
    "count": 1,
    "share": 0.5,
    "sure": True,
    "colour": "red",
    "kind": "a",
    "parts": [{"name": "x", "weight": 2}],
    "best": None,
}


def by_model(model: type[BaseModel], text: str) -> BaseModel | None:
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError:
        return None


def by_twin(model: type[BaseModel], text: str) -> Any:
    read = reader(model)
    assert read is not None
    try:
        return read(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def values(answer: Any) -> Any:
    """Return every field's value and type, as deep as there are any."""
    if isinstance(answer, BaseModel):
        return {name: values(getattr(answer, name)) for name in type(answer).model_fields}
    if isinstance(answer, Twin):
        return {name: values(getattr(answer, name)) for name in type(answer).model.model_fields}
    if isinstance(answer, list):
        return [values(each) for each in answer]
    return type(answer), repr(answer)


def check(model: type[BaseModel], text: str) -> None:
    twin = by_twin(model, text)
    if twin is None:
        return

    whole = by_model(model, text)

    assert whole is not None, text
    assert values(twin) == values(whole)
    assert twin == whole


@pytest.mark.parametrize("model", MODELS)
def test_every_backfill_s_answers_have_a_twin(model: type[BaseModel]) -> None:
    assert reader(model) is not None


PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=5),
    "number": st.floats() | st.integers() | st.floats(0, 1),
    "integer": st.integers() | st.floats(),
    "boolean": st.booleans(),
    "null": st.none(),
}


def strategy_of(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that mostly, but not always, fit a model's JSON schema."""
    odd = st.sampled_from(["", "a", 1, 1.0, -1, 2**64, 1e300, True, None, [], {}, "red", 0.5])
    return st.one_of([fitting(schema, defs)] * 12 + [odd])


def fitting(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return strategy_of(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in schema:
        return st.one_of([strategy_of(each, defs) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(strategy_of(schema["items"], defs), max_size=4)
    return PLAIN[schema["type"]] if schema["type"] != "object" else objects(schema, defs)


def objects(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: strategy_of(each, defs) for name, each in schema["properties"].items()}
    must = {name: fields.pop(name) for name in schema.get("required", ())}
    whole = st.fixed_dictionaries(must, optional=fields)
    some = st.fixed_dictionaries({}, optional=must | fields | {"odd": st.none()})
    return st.one_of(whole, whole, whole, some)


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_a_twin_takes_nothing_that_its_model_refuses_and_reads_the_same(
    model: type[BaseModel], data: st.DataObject
) -> None:
    schema = model.model_json_schema()
    value = data.draw(strategy_of(schema, schema.get("$defs", {})))

    check(model, json.dumps(value, ensure_ascii=data.draw(st.booleans())))


@given(st.text(st.characters(), max_size=40), st.integers(0, 200), st.integers(0, 9))
@example('"count":1.0,', 1, 0)
@example('"count":2,', 1, 0)
@example('"count":true,', 1, 0)
@example('"share":NaN,', 1, 0)
@example('"share":1e999,', 1, 0)
@example('"kind":"b","kind":"a",', 1, 0)
@example('"note":"\\ud800",', 1, 0)
@example('"note":"\\ud83d\\ude00",', 1, 0)
@example('"note":"\ud800",', 1, 0)
@example('"note":"\x00",', 1, 0)
@example('"n\\u006fte":"x",', 1, 0)
@example('"nobody":"asked",', 1, 0)
@example('"count":' + "9" * 5_000 + ",", 1, 0)
def test_a_damaged_answer_is_read_alike_or_not_at_all(junk: str, place: int, cut: int) -> None:
    text = orjson.dumps(GOOD).decode()

    check(Whole, text[:place] + junk + text[place + cut :])


@pytest.mark.parametrize(
    "number", ["1", "1.0", "-0", "1e2", "9007199254740993", "1" * 60, "5e-324"]
)
def test_numbers_are_the_model_s_to_the_last_bit(number: str) -> None:
    text = orjson.dumps(GOOD | {"share": 0.125}).decode().replace("0.125", number)
    twin, whole = by_twin(Whole, text), by_model(Whole, text)

    assert isinstance(whole, Whole)
    assert math.copysign(1, twin.share) == math.copysign(1, whole.share)
    assert twin.share.hex() == whole.share.hex()


def test_a_good_answer_is_read_by_the_twin_and_lends_what_its_model_can_do() -> None:
    twin = by_twin(Whole, orjson.dumps(GOOD).decode())

    assert twin.heaviest() == 2
    assert twin.model_dump(mode="json")["colour"] == "red"
    assert twin == by_twin(Whole, orjson.dumps(GOOD).decode())
    assert twin != Whole.model_validate(GOOD | {"count": 3})
    with pytest.raises(AttributeError):
        _ = twin.no_such_thing


def test_defaults_are_not_shared() -> None:
    first, second = (by_twin(Whole, orjson.dumps(GOOD).decode()) for _ in range(2))

    first.words.append("x")

    assert second.words == []


class Validated(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def lower(cls, name: str) -> str:
        return name.lower()


class Own(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str


class Renamed(BaseModel):
    name: str = Field(alias="title")


class Stripped(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True)]


class Checked(BaseModel):
    name: Annotated[str, AfterValidator(str.strip)]


class Patterned(BaseModel):
    name: str = Field(pattern="^a")


class Mixed(BaseModel):
    name: str | int


class Numbered(BaseModel):
    name: Literal[1, 2]


class Nested(BaseModel):
    names: list["Nested"]


class Hidden(BaseModel):
    whole: str


class Started(BaseModel):
    name: str

    def model_post_init(self, _: object) -> None:
        self.name = self.name.lower()


class Within(BaseModel):
    parts: list[Validated]


@pytest.mark.parametrize(
    "model",
    [
        Validated,
        Own,
        Renamed,
        Stripped,
        Checked,
        Patterned,
        Mixed,
        Numbered,
        Nested,
        Hidden,
        Started,
        Within,
    ],
)
def test_a_model_that_does_more_than_a_struct_has_no_twin(model: type[BaseModel]) -> None:
    assert reader(model) is None
