"""Fields of an answer, proposed for the columns that they go into."""

import json
import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from tasks.adapters.catalog import Column
from tasks.adapters.measures import EVIDENCE
from tasks.core.identity import snake_case

MOST_WORDS = 12
"""A text column with so few values, each many times, has a closed vocabulary."""
TIMES = 4
LONGEST_WORD = 40
MOST_ITEMS = 20

_TEXTS = ("text", "varchar", "bpchar", "citext")
_INTEGERS = ("int2", "int4", "int8")
_FLOATS = ("float4", "float8", "numeric")
_TIMES = ("timestamptz", "timestamp", "date")
_SHARES = ("confidence", "probability", "share")
_VECTORS = ("embedding", "vector")
_SIZE = re.compile(r"\((\d+)(?:,(-?\d+))?\)")


@dataclass(frozen=True)
class Field:
    """One field of the answer: what it is, and what a model must be told.

    Attributes:
        column: the target's column that it fills.
        limits: what `Field(...)` says besides the type.
        words: a closed vocabulary.
        value: the expression that `records` yields.
        tokens: about how many it takes.
    """

    column: str
    name: str
    type: str
    told: str
    tokens: int
    limits: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    value: str = ""

    @property
    def line(self) -> str:
        """Return its line, or lines, in the model."""
        kind = call("Literal", map(quoted, self.words), 4 + len(self.name) + 2, "[]")
        kind = kind if self.words else self.type
        if not self.limits:
            return f"{self.name}: {kind}"
        return f"{self.name}: {kind} = {call('Field', self.limits, 8 + len(self.name + kind))}"

    @property
    def pair(self) -> str:
        """Return its entry in a record."""
        return f"{quoted(self.column)}: {self.value or f'value.{self.name}'},"


NEW_FIELDS = (
    Field(
        "label",
        "label",
        "",
        "how the text speaks of its subject; `neutral` where it does not judge.",
        tokens=8,
        words=("positive", "neutral", "negative"),
    ),
    Field(
        "confidence",
        "confidence",
        "float",
        "how sure you are of the label, from 0 to 1.",
        tokens=8,
        limits=("ge=0", "le=1"),
    ),
)
"""What a table that is not there yet will hold, until somebody knows better."""


def proposed(column: Column, values: Sequence[object], labels: Sequence[str]) -> Field | None:
    """Return a field for a column; None for one that no answer can fill.

    `values` stand in the column now, `labels` are those of its enumerated type.
    """
    name = _field_name(column.name)
    if column.is_generated or any(word in name for word in _VECTORS):
        return None
    if column.name == EVIDENCE and column.is_json:
        return _evidence(column)
    if words := labels or _vocabulary(column, values):
        told = "one of " + ", ".join(f"`{word}`" for word in words) + "; the nearest one."
        return Field(column.name, name, "", told, tokens=8, words=tuple(words))
    if column.is_json:
        return _list(column, name, "str")
    if column.is_array:
        item = _plain_type(column.base.removeprefix("_"))
        return _list(column, name, item) if item in ("str", "int") else None
    make = _MAKERS.get(_plain_type(column.base))
    return make(column, name) if make else None


def quoted(text: str) -> str:
    """Return a text as Python writes it."""
    return json.dumps(text, ensure_ascii=False)


def call(name: str, parts: Iterable[str], indent: int, brackets: str = "()") -> str:
    """Return a call on one line where it fits, else with a line for every part."""
    listed = list(parts)
    line = f"{name}{brackets[0]}{', '.join(listed)}{brackets[1]}"
    if indent + len(line) <= 98:  # noqa: PLR2004 - the project's line, less a comma
        return line
    margin = " " * 4
    rows = "".join(f"{margin * 2}{part},\n" for part in listed)
    return f"{name}{brackets[0]}\n{rows}{margin}{brackets[1]}"


def _plain_type(base: str) -> str:
    kinds = {"str": _TEXTS, "int": _INTEGERS, "float": _FLOATS, "datetime": _TIMES}
    kinds["bool"] = ("bool",)
    return next((kind for kind, bases in kinds.items() if base in bases), "")


def _field_name(column: str) -> str:
    name = re.sub(r"\W+", "_", snake_case(column)).strip("_")
    usable = name.isidentifier() and not keyword.iskeyword(name)
    taken = hasattr(BaseModel, name) or name.startswith("model_")
    return name if usable and not taken else f"the_{name}"


def _vocabulary(column: Column, values: Sequence[object]) -> list[str]:
    words = sorted({each for each in values if isinstance(each, str) and each.strip()})
    few = 1 < len(words) <= min(MOST_WORDS, len(values) / TIMES)
    is_text = _plain_type(column.base) == "str"
    return words if is_text and few and max(map(len, words)) <= LONGEST_WORD else []


def _text(column: Column, name: str) -> Field:
    size = _SIZE.search(column.type_name)
    limits = ("min_length=1", f"max_length={size[1]}") if size else ("min_length=1",)
    short = f", at most {size[1]} characters" if size else ""
    told = f"what the text gives as {_words(name)}, in few words{short}."
    return Field(column.name, name, "str", told, tokens=40, limits=limits)


def _integer(column: Column, name: str) -> Field:
    bits = 8 * int(column.base.removeprefix("int")) - 1
    limits = (f"ge={-(2**bits)}", f"le={2**bits - 1}") if bits < 63 else ()  # noqa: PLR2004
    told = f"what the text gives as {_words(name)}, a whole number."
    return Field(column.name, name, "int", told, tokens=8, limits=limits)


def _number(column: Column, name: str) -> Field:
    if any(word in name for word in _SHARES):
        told = f"the {_words(name)} of this answer, from 0 to 1."
        return Field(column.name, name, "float", told, tokens=8, limits=("ge=0", "le=1"))
    limits: tuple[str, ...] = ()
    if size := _SIZE.search(column.type_name):
        whole, places = int(size[1]), int(size[2] or 0)
        most = (10**whole - 1) / 10**places
        limits = (f"ge={-most:.15g}", f"le={most:.15g}")
    told = f"what the text gives as {_words(name)}, a number."
    return Field(column.name, name, "float", told, tokens=8, limits=limits)


def _truth(column: Column, name: str) -> Field:
    return Field(column.name, name, "bool", f"whether the text says so: {_words(name)}.", tokens=6)


def _time(column: Column, name: str) -> Field:
    told = f"what the text gives as {_words(name)}, as 2026-01-31T00:00:00Z."
    return Field(column.name, name, "datetime", told, tokens=16)


def _list(column: Column, name: str, item: str) -> Field:
    told = f"what the text names as {_words(name)}, each once; empty where it names nothing."
    limits = (f"max_length={MOST_ITEMS}",)
    return Field(column.name, name, f"list[{item}]", told, tokens=60, limits=limits)


def _evidence(column: Column) -> Field:
    told = "one or two spans of the text that show the answer, copied character by character."
    limits = ("max_length=2",)
    return Field(column.name, "quotes", "list[str]", told, 80, limits, value="evidence.json")


def _words(name: str) -> str:
    return name.removeprefix("the_").replace("_", " ")


_MAKERS: dict[str, Callable[[Column, str], Field]] = {
    "str": _text,
    "int": _integer,
    "float": _number,
    "bool": _truth,
    "datetime": _time,
}
