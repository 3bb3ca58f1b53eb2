"""An answer that almost fits its model: what is plainly meant is mended, what is not is dropped.

It works from the model's JSON schema, which is what the service is sent, so that no backfill knows
of it. An item that cannot be mended goes alone; the others of its list stay.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator

from tasks.core.salvage import encode, says_something
from tasks.core.shapes import Shape, key_of, shape_of

M = TypeVar("M", bound=BaseModel)

_NUMBER = re.compile(r"([-+]?\d{1,18}(?:\.\d{1,18})?(?:[eE]-?\d{1,2})?)\s*(%?)")
_PERCENT = 100
_SURELY = 10
_FLAGS = {"true": True, "false": False}
_MOST_ERRORS = 100  # of a model's own rules in one answer; more than that is no answer
_LOST: Final = object()
_Named = Callable[[Sequence[int | str]], Sequence[int | str]]


class Mended(NamedTuple, Generic[M]):
    """An answer, and what was mended or dropped to have it: `mended:concepts.confidence`, …."""

    answer: M
    notes: tuple[str, ...]


class Fitting(Generic[M]):
    """Lets answers fit one model."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        schema = model.model_json_schema()
        self._shape = shape_of(schema, schema.get("$defs", {}), "", 0)
        # Without it a list of a million wrong items is a million errors, each with its words.
        hasty = _fail_fast(model.__pydantic_core_schema__)
        validator = SchemaValidator(hasty, _use_prebuilt=False)
        self.strictly: Callable[[str | bytes], M] = partial(validator.validate_json, strict=True)
        """Returns the answer as it stands; raises ValidationError with a list's first error."""

    def mended(self, value: object, *, is_whole: bool) -> Mended[M] | None:
        """Return what fits of a value, or None; of one that is not whole nothing is filled in."""
        mending = _Mending(is_whole=is_whole)
        found = mending.value(value, self._shape)
        if found is _LOST:
            return None
        return self._by_its_own_rules(found, mending.notes)

    def cause(self, value: object) -> str | None:
        """Return the field for which a value cannot be mended."""
        mending = _Mending(is_whole=True)
        return mending.cause if mending.value(value, self._shape) is _LOST else None

    def place(self, steps: Sequence[int | str]) -> tuple[int | str, ...]:
        """Return a place in what came by the model's own names."""
        found: list[int | str] = []
        shape: Shape | None = self._shape
        for step in steps:
            is_item = isinstance(step, int)
            shape = shape and (shape.item if is_item else shape.fields.get(str(step)))
            found.append(step if is_item or shape is None else shape.path.rsplit(".", 1)[-1])
        return tuple(found)

    def _by_its_own_rules(self, found: Any, notes: list[str]) -> Mended[M] | None:  # noqa: ANN401 - JSON
        """Return the answer without the items that the model's own validators refuse."""
        for _ in range(2):
            encoded = encode(found)
            if encoded is None:
                return None
            try:
                answer = self._model.model_validate_json(encoded, strict=True)
                return Mended(answer, tuple(notes)) if self.is_full(found) else None
            except ValidationError as error:
                if not _drop(found, error, notes, self.place):
                    return None
        return None

    def is_full(self, found: Any) -> bool:  # noqa: ANN401 - JSON
        """Say whether anything is left that was wanted."""
        return says_something({name: found[name] for name in self._shape.fields if name in found})


@lru_cache(maxsize=64)
def fitting(model: type[M]) -> Fitting[M]:
    """Return what lets answers fit a model; made once for each."""
    return Fitting(model)


class _Mending:
    """One value on its way through its shape; `cause` is the place that could not be mended."""

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self.notes: list[str] = []
        self.cause = ""

    def value(self, value: object, shape: Shape) -> object:
        """Return the value as the shape wants it, or _LOST."""
        if value is None:
            return None if shape.is_nullable or not shape.kind else self._instead_of_null(shape)
        match shape.kind:
            case "object":
                found = self._object(value, shape)
            case "array":
                found = self._array(value, shape)
            case "string":
                found = self._string(value, shape)
            case "number" | "integer":
                found = self._number(value, shape)
            case "boolean":
                found = self._flag(value, shape)
            case _:
                found = value
        return found

    def _object(self, value: object, shape: Shape) -> object:
        if not isinstance(value, dict):
            return self._lost(shape)
        closed = shape.schema.get("additionalProperties") is False
        found = (
            {} if closed else {key: each for key, each in value.items() if key not in shape.fields}
        )
        if closed and value.keys() - shape.fields.keys():
            self._note(shape)
        for name, field in shape.fields.items():
            each = self._field(value, name, field, is_required=name in shape.required)
            if each is _LOST:
                if name in shape.required:
                    return _LOST
                continue
            found[name] = each
        return found

    def _field(
        self, value: dict[str, Any], name: str, field: Shape, *, is_required: bool
    ) -> object:
        """Return a field's value; _LOST is no loss where it has a default."""
        if name not in value:
            is_filled = is_required and field.kind == "array" and not field.is_top
            if is_filled and self._is_whole:
                return self._instead_of_null(field)
            return self._lost(field) if is_required else _LOST
        before = len(self.notes)
        found = self.value(value[name], field)
        if found is _LOST and not is_required:
            self._drop(before)
        return found

    def _array(self, value: object, shape: Shape) -> object:
        if isinstance(value, str) and value and _is_open_to_one(shape):
            value = self._noted([value], shape)
        if not isinstance(value, list) or shape.item is None:
            return self._lost(shape)
        found = []
        for each in value:
            before = len(self.notes)
            item = self._item(each, shape.item)
            if item is _LOST:
                self._drop(before)
            else:
                found.append(item)
        most = shape.schema.get("maxItems", len(found))
        self.notes += [f"dropped:{shape.path}"] * (len(found) - most)
        is_short = len(found) < shape.schema.get("minItems", 0)
        if is_short or (shape.is_top and value and not found):
            return self._lost(shape)
        return found[:most]

    def _item(self, value: object, shape: Shape) -> object:
        """Return an item of a list, where null stands for nothing."""
        if value is None and not shape.is_nullable:
            return self._lost(shape)
        return self.value(value, shape)

    def _string(self, value: object, shape: Shape) -> object:
        if not isinstance(value, str):
            return self._lost(shape)
        if shape.words or "enum" in shape.schema or "const" in shape.schema:
            return self._word(value, shape)
        least, most = shape.schema.get("minLength", 0), shape.schema.get("maxLength", len(value))
        return value if least <= len(value) <= most else self._lost(shape)

    def _word(self, value: str, shape: Shape) -> object:
        if value in shape.schema.get("enum", [shape.schema.get("const")]):
            return value
        meant = shape.words.get(key_of(value))
        return self._lost(shape) if meant is None else self._noted(meant, shape)

    def _number(self, value: object, shape: Shape) -> object:
        found = _number(value)
        if found is None:
            return self._lost(shape)
        meant, is_percent = found
        low, high = shape.schema.get("minimum"), shape.schema.get("maximum")
        # 95 and 87.5 can only be percent; 1.5 might be anything.
        may_be = 1 < meant <= _PERCENT and (meant >= _SURELY or float(meant).is_integer())
        if (low, high) == (0, 1) and (is_percent or may_be):
            meant /= _PERCENT
        elif is_percent and (low, high) != (0, _PERCENT):
            return self._lost(shape)
        if shape.kind == "integer" and isinstance(meant, float):
            if not meant.is_integer():
                return self._lost(shape)
            meant = int(meant)
        if (low is not None and meant < low) or (high is not None and meant > high):
            return self._lost(shape)
        is_as_said = type(value) is type(meant) and value == meant
        return value if is_as_said else self._noted(meant, shape)

    def _flag(self, value: object, shape: Shape) -> object:
        if isinstance(value, bool):
            return value
        meant = _FLAGS.get(key_of(value)) if isinstance(value, str) else None
        return self._lost(shape) if meant is None else self._noted(meant, shape)

    def _instead_of_null(self, shape: Shape) -> object:
        if shape.kind == "array" and not shape.schema.get("minItems"):
            return self._noted([], shape)
        is_open = not {"enum", "const", "minLength", "pattern"} & shape.schema.keys()
        if shape.kind == "string" and is_open:
            return self._noted("", shape)
        return self._lost(shape)

    def _noted(self, value: object, shape: Shape) -> object:
        self._note(shape)
        return value

    def _note(self, shape: Shape) -> None:
        self.notes.append(f"mended:{shape.path}")

    def _drop(self, before: int) -> None:
        """Count what is left out instead of what was mended in it."""
        self.notes[before:] = [f"dropped:{self.cause}"]

    def _lost(self, shape: Shape) -> object:
        self.cause = shape.path
        return _LOST


def _is_open_to_one(shape: Shape) -> bool:
    """Say whether a single text is plainly a list of one: inside an item, or of a closed list."""
    item = shape.item
    return item is not None and item.kind == "string" and (bool(item.words) or not shape.is_top)


def _number(value: object) -> tuple[float, bool] | None:
    """Return the number that is meant, and whether it is said in percent."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value, False
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    return (int(found[1]) if found[1].lstrip("+-").isdigit() else float(found[1])), bool(found[2])


def _drop(found: Any, error: ValidationError, notes: list[str], named: _Named) -> bool:  # noqa: ANN401 - JSON
    """Drop the items that the model refuses; say whether these were all that it refuses."""
    if error.error_count() > _MOST_ERRORS:
        return False
    said = error.errors(include_url=False, include_context=False, include_input=False)
    places: dict[tuple[int | str, ...], str] = {}
    for each in said:
        at = max((at for at, step in enumerate(each["loc"]) if isinstance(step, int)), default=-1)
        if at < 0:
            return False
        path = ".".join(step for step in named(each["loc"]) if isinstance(step, str))
        places.setdefault(each["loc"][: at + 1], path)
    # The innermost first, and of a list the last: the places of the others stay what they are.
    inwards = sorted(places.items(), key=lambda item: (len(item[0]), item[0][-1]), reverse=True)
    for place, path in inwards:
        inside = found
        for step in place[:-1]:
            inside = inside[step]
        del inside[place[-1]]
        notes.append(f"dropped:{path}")
    return True


def _fail_fast(schema: Any) -> Any:  # noqa: ANN401 - whatever pydantic has
    """Return a core schema whose lists stop at their first wrong item."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(_fail_fast, schema))
    if not isinstance(schema, dict):
        return schema
    found = {key: _fail_fast(each) for key, each in schema.items()}
    return {**found, "fail_fast": True} if found.get("type") == "list" else found
