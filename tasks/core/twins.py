"""A fast reader for answers: the answer's Pydantic model, once more as msgspec structs.

The twin takes nothing that the model, strictly, would not, and gives the same values; what it
refuses the model has to judge. A model that does anything a struct cannot mirror has no twin.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Optional

import msgspec
from pydantic import BaseModel

Schema = Mapping[str, Any]
_EDGES = {"ge", "gt", "le", "lt"}
_LENGTHS = {"min_length", "max_length"}


class NoTwinError(Exception):
    """The model does something that a struct cannot mirror."""


class Twin(msgspec.Struct, eq=False, gc=False, forbid_unknown_fields=True):
    """An answer with its model's fields; for anything else it becomes the model's own object."""

    model: ClassVar[type[BaseModel]]

    def whole(self) -> BaseModel:
        """Return the same answer as an object of its model."""
        return self.model.model_validate(msgspec.to_builtins(self))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.whole(), name)

    def __eq__(self, other: object) -> bool:
        return self.whole() == (other.whole() if isinstance(other, Twin) else other)

    __hash__ = None  # type: ignore[assignment] # as the model's own objects


@cache
def reader(model: type[BaseModel]) -> Callable[[str], Any] | None:
    """Return a function from an answer's JSON to its twin, or None where there can be none.

    It raises msgspec.MsgspecError, or ValueError, for anything that it does not take.
    """
    try:
        schema: Schema = model.__pydantic_core_schema__
        return msgspec.json.Decoder(_Mirror(schema).type_of(schema)).decode
    except (NoTwinError, TypeError, ValueError):  # the latter from msgspec, of odd limits
        return None


class _Mirror:
    """Goes through what Pydantic would do; what is not known here to the last key has no twin."""

    def __init__(self, schema: Schema) -> None:
        shared = schema["definitions"] if schema["type"] == "definitions" else ()
        self._shared = {each["ref"]: each for each in shared}
        self._done: dict[type[BaseModel], Any] = {}

    def type_of(self, schema: Schema) -> Any:  # noqa: ANN401 - types are made as we go
        """Return what msgspec calls this schema."""
        make = getattr(self, f"_{schema['type'].replace('-', '_')}", None)
        if make is None:
            raise NoTwinError(schema["type"])
        return make(schema)

    def _definitions(self, schema: Schema) -> Any:  # noqa: ANN401
        return self.type_of(schema["schema"])

    def _definition_ref(self, schema: Schema) -> Any:  # noqa: ANN401
        _only(schema, {"schema_ref"})
        return self.type_of(self._shared[schema["schema_ref"]])

    def _model(self, schema: Schema) -> Any:  # noqa: ANN401
        _only(schema, {"cls", "config", "custom_init", "root_model", "schema"})
        _only(schema["config"], {"title"})
        inner, model = schema["schema"], schema["cls"]
        if schema["custom_init"] or schema["root_model"] or inner["type"] != "model-fields":
            raise NoTwinError(model.__name__)
        if model not in self._done:
            self._done[model] = None  # a model within itself finds this, and has no twin
            self._done[model] = self._struct(model, inner)
        if self._done[model] is None:
            raise NoTwinError(model.__name__)
        return self._done[model]

    def _struct(self, model: type[BaseModel], inner: Schema) -> Any:  # noqa: ANN401
        _only(inner, {"computed_fields", "fields", "model_name"})
        if taken := (set(dir(Twin)) | {"whole"}) & set(inner["fields"]):
            raise NoTwinError(f"{model.__name__}.{taken.pop()}")
        fields = [self._field(name, field) for name, field in inner["fields"].items()]
        return msgspec.defstruct(
            model.__name__,
            fields,
            bases=(Twin,),
            namespace={"model": model},
            kw_only=True,
            gc=False,
            eq=False,
            forbid_unknown_fields=True,
        )

    def _field(self, name: str, field: Schema) -> tuple[str, Any, Any]:
        _only(field, {"schema"})
        schema = field["schema"]
        if schema["type"] != "default":
            return name, self.type_of(schema), msgspec.NODEFAULT
        known = {"default", "default_factory", "default_factory_takes_data", "schema"}
        _only(schema, known)
        if schema.get("default_factory_takes_data"):
            raise NoTwinError(name)
        kind = self.type_of(schema["schema"])
        if factory := schema.get("default_factory"):
            return name, kind, msgspec.field(default_factory=factory)
        default = schema["default"]
        if not (default is None or default == [] or type(default) in (str, int, float, bool)):
            raise NoTwinError(name)
        return name, kind, msgspec.field(default_factory=list) if default == [] else default

    def _nullable(self, schema: Schema) -> Any:  # noqa: ANN401
        _only(schema, {"schema"})
        return Optional[self.type_of(schema["schema"])]  # noqa: UP045 - of a type made just now

    def _list(self, schema: Schema) -> Any:  # noqa: ANN401
        item = self.type_of(schema["items_schema"])
        return _limited(list[item], schema, _LENGTHS, {"items_schema"})  # type: ignore[valid-type]

    def _str(self, schema: Schema) -> Any:  # noqa: ANN401
        return _limited(str, schema, _LENGTHS)

    def _int(self, schema: Schema) -> Any:  # noqa: ANN401
        return _limited(int, schema, _EDGES)

    def _float(self, schema: Schema) -> Any:  # noqa: ANN401
        return _limited(float, schema, _EDGES)

    def _bool(self, schema: Schema) -> Any:  # noqa: ANN401
        return _limited(bool, schema, set())

    def _literal(self, schema: Schema) -> Any:  # noqa: ANN401
        _only(schema, {"expected"})
        return _strings(schema["expected"], Literal[tuple(schema["expected"])])

    def _enum(self, schema: Schema) -> Any:  # noqa: ANN401
        _only(schema, {"cls", "members", "sub_type"})
        enum: type[Enum] = schema["cls"]
        if "_missing_" in vars(enum):
            raise NoTwinError(enum.__name__)
        return _strings([member.value for member in enum], enum)


def _only(schema: Schema, known: set[str]) -> None:
    """Raise NoTwinError for a key whose meaning is not mirrored."""
    if unknown := schema.keys() - known - {"type", "ref", "metadata"}:
        raise NoTwinError(unknown.pop())


def _limited(kind: Any, schema: Schema, limits: set[str], more: set[str] = frozenset()) -> Any:  # type: ignore[assignment] # noqa: ANN401
    _only(schema, limits | more)
    given = {name: schema[name] for name in limits if name in schema}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind


def _strings(values: list[object], kind: Any) -> Any:  # noqa: ANN401
    """Return the kind, unless its values are anything but strings: then 1 and 1.0 may differ."""
    if not all(type(value) is str for value in values):
        raise NoTwinError("not a string")
    return kind
