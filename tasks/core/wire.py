"""The diet: an answer's model as it travels, under short names and with less to say.

What comes back is read into a subclass of the declared model, so that nobody else knows of it. The
names go into the version's meaning: whatever the declaration becomes, its answers are read by them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from string import ascii_lowercase
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    WrapValidator,
    create_model,
)
from pydantic.fields import FieldInfo

from tasks.core.shapes import Shape, shape_of

Wire = Literal["plain", "diet"]
"""How an answer travels."""

Names = Mapping[str, str]
"""Short names by the places of fields: concepts.name is n. Without any, nothing is changed."""


@dataclass(frozen=True)
class LeftOut:
    """Marks a field that the diet leaves out where it is empty, or the same as an earlier one."""

    same_as: str = ""


@dataclass(frozen=True)
class Steps:
    """Marks a number of which the diet asks no more than so many steps."""

    size: float


@dataclass(frozen=True)
class Ends:
    """Marks copied words of which the diet asks the first and the last, where there are many.

    Those between stand in the row's own text.
    """

    words: int

    @property
    def most(self) -> int:
        """How many words are copied whole."""
        return 2 * self.words + 2

    def of(self, copied: str) -> str:
        """Return what the diet asks of copied words."""
        said = copied.split()
        if len(said) <= self.most:
            return copied
        return f"{' '.join(said[: self.words])} … {' '.join(said[-self.words :])}"


_LOOKS_FIRST = (BeforeValidator, PlainValidator, WrapValidator)


def is_carried(model: type[BaseModel], inside: tuple[type, ...] = ()) -> bool:
    """Return whether answers can go on the diet.

    They cannot where a validator looks at them before they are read, and so at short names.
    """
    said = model.__pydantic_decorators__
    modes: set[str] = {each.info.mode for each in said.model_validators.values()}
    modes |= {each.info.mode for each in said.field_validators.values()}
    if model in inside or modes - {"after"}:
        return False
    fields = model.model_fields.values()
    parts = [part for field in fields for part in (*field.metadata, *_parts(field.annotation))]
    return not any(isinstance(part, _LOOKS_FIRST) for part in parts) and all(
        is_carried(part, (*inside, model))
        for part in parts
        if isinstance(part, type) and issubclass(part, BaseModel)
    )


def _parts(annotation: object) -> Iterator[object]:
    yield annotation
    for each in get_args(annotation):
        yield from _parts(each)


def names_of(model: type[BaseModel]) -> dict[str, str]:
    """Return a short name for every field of an answer."""
    schema = model.model_json_schema()
    return dict(_named(shape_of(schema, schema.get("$defs", {}))))


def _named(shape: Shape) -> Iterator[tuple[str, str]]:
    if shape.item is not None:
        yield from _named(shape.item)
    taken: set[str] = set()
    for name, field in shape.fields.items():
        taken.add(short := _short(name, taken))
        yield field.path, short
        yield from _named(field)


def _short(name: str, taken: set[str]) -> str:
    """Return the first letter of a name that is free, or any other; two where none is."""
    own = [letter for letter in name.lower() if letter in ascii_lowercase]
    two = map("".join, product(ascii_lowercase, repeat=2))
    return next(each for each in chain(own, ascii_lowercase, two) if each not in taken)


def on_diet(model: type[BaseModel], names: Names) -> type[BaseModel]:
    """Return the model as it travels under these names; itself where there are none."""
    return _on_diet(model, tuple(names.items())) if names else model


@lru_cache(maxsize=64)
def _on_diet(model: type[BaseModel], names: tuple[tuple[str, str], ...]) -> type[BaseModel]:
    return _Diet(dict(names)).model(model, "")


class _Diet:
    """One model on its way to its short names; a field without one travels as it is."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def model(self, model: type[BaseModel], place: str) -> type[BaseModel]:
        fields: dict[str, Any] = {
            name: self._field(name, field, place)
            for name, field in model.model_fields.items()
            if self._at(place, name) in self._names
        }
        return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)

    def _at(self, place: str, name: str) -> str:
        return f"{place}.{name}".lstrip(".")

    def _field(self, name: str, field: FieldInfo, place: str) -> tuple[Any, Any]:
        annotation = self._annotation(field.annotation, self._at(place, name))
        for each in field.metadata:
            annotation = Annotated[annotation, each]
        said = [name, (field.description or "").rstrip(".")]
        said += [told for each in field.metadata if (told := self._told(each, place))]
        return annotation, Field(
            **_default(field),
            alias=self._names[self._at(place, name)],
            description=". ".join(filter(None, said)),
            json_schema_extra={"said": name},
        )

    def _told(self, mark: object, place: str) -> str:
        """Return what a mark tells the model."""
        match mark:
            case LeftOut(""):
                return "Left out when empty"
            case LeftOut(other):
                return f"Left out when the same as {self._names[self._at(place, other)]}"
            case Steps(size):
                return f"In steps of {size:g}"
            case Ends(words):  # in letters that every database has
                return (
                    f"Of more than {mark.most} words the first {words}, then ..., then the last"
                    f" {words}: nothing between, whatever else is said of them"
                )
        return ""

    def _annotation(self, annotation: Any, place: str) -> Any:  # noqa: ANN401 - a type
        """Return a type with every model in it on diet."""
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self.model(annotation, place)
        inside = tuple(self._annotation(each, place) for each in get_args(annotation))
        if inside == get_args(annotation):
            return annotation
        outside = get_origin(annotation)
        return (Union if outside is UnionType else outside)[inside]


def _default(field: FieldInfo) -> dict[str, Any]:
    """Return what a field is where it is left out, if it may be."""
    mark = _mark(field)
    if mark is None:
        return {"default": field.default, "default_factory": field.default_factory}
    if mark.same_as:
        return {"default_factory": lambda said: said[mark.same_as]}
    return {"default_factory": list if get_origin(field.annotation) is list else str}


def _mark(field: FieldInfo) -> LeftOut | None:
    return next((each for each in field.metadata if isinstance(each, LeftOut)), None)


def slimmed(answer: BaseModel, names: Names, place: str = "") -> dict[str, Any]:
    """Return an answer as it would have travelled under these names."""
    found: dict[str, Any] = {}
    for name, field in type(answer).model_fields.items():
        at, value = f"{place}.{name}".lstrip("."), getattr(answer, name)
        if not _is_needless(field, answer, value):
            found[names.get(at, name)] = _slim(value, names, at, field)
    return found


def _slim(value: Any, names: Names, place: str, field: FieldInfo) -> Any:  # noqa: ANN401 - whatever an answer has
    if isinstance(value, BaseModel):
        return slimmed(value, names, place)
    if isinstance(value, list):
        return [_slim(each, names, place, field) for each in value]
    ends = next((each for each in field.metadata if isinstance(each, Ends)), None)
    return ends.of(value) if ends else value


def _is_needless(field: FieldInfo, answer: BaseModel, value: object) -> bool:
    mark = _mark(field)
    if mark is None:
        return False
    return bool(value == getattr(answer, mark.same_as) if mark.same_as else not value)
