"""Answers in the shape of a response schema, drawn from the text that was asked about."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployments.local.emulator.passage import Passage
from deployments.local.emulator.spelling import get

Json = Mapping[str, Any]
Make = Callable[[Passage], Any]
OTHERS = ("alias", "synonym")
HINTS: tuple[tuple[tuple[str, ...], Make], ...] = (
    (("surface",), Passage.surface),
    (("quote", "evidence", "span", "excerpt", "verbatim"), Passage.quote),
    (OTHERS, Passage.word),
    (("tag", "keyword"), Passage.word),
    (("summary", "reason", "context", "explanation", "description", "note"), Passage.sentence),
)
SHORT = 2
"""Letters of a name that says nothing by itself: what it means is in the description."""
LEFT_OUT = re.compile(r"[Ll]eft out when (?:(empty)|the same as (\w+))")
ENDS = re.compile(r"[Oo]f more than (\d+) words the first (\d+), then \.{3}")
STEPS = re.compile(r"[Ii]n steps of (0?\.\d+|\d+)")
MOST_DEPTH = 12
ITEMS = (5, 12)
SOME = (1, 3)
OTHER_NAMES = (-2, 1)
"""Three of four have none."""


def compile_schema(schema: Json) -> Make:
    """Return a function that makes a value fitting the schema from a passage."""
    return _Compiler(schema).make(schema, "", 0)


class _Compiler:
    def __init__(self, root: Json) -> None:
        self.root = root

    def make(self, schema: Json, name: str, depth: int) -> Make:
        schema = self._resolve(schema)
        if "const" in schema:
            return _choice([schema["const"]])
        if options := schema.get("enum"):
            return _choice(list(options))
        several = get(schema, "anyOf") or get(schema, "oneOf") or schema.get("allOf")
        if several and not schema.get("properties"):
            return self.make(_first_real(several), name, depth)
        makers = {"object": self._object, "array": self._array}
        kind = kind_of(schema)
        if kind in makers:
            return makers[kind](schema, name, depth)
        return _scalar(kind, schema, name)

    def _resolve(self, schema: Json) -> Json:
        for _ in range(MOST_DEPTH):
            reference = schema.get("$ref")
            if reference is None:
                break
            target: Any = self.root
            for step in str(reference).removeprefix("#").strip("/").split("/"):
                target = target[step] if step else target
            schema = target
        return schema

    def _object(self, schema: Json, name: str, depth: int) -> Make:
        del name
        if depth > MOST_DEPTH:
            return lambda _: {}
        properties = schema.get("properties") or {}
        fields = [
            (key, self.make(part, _meaning(key, part), depth + 1))
            for key, part in properties.items()
        ]
        turned = fields[::-1]
        needless = dict(_needless(properties, set(schema.get("required") or properties)))

        def make(passage: Passage) -> dict[str, Any]:
            swap = passage.chance() < passage.odds[0]
            made = {key: field(passage) for key, field in (turned if swap else fields)}
            for key, other in needless.items():
                if made[key] == made.get(other) or not (other or made[key]):
                    del made[key]
            return made

        return make

    def _array(self, schema: Json, name: str, depth: int) -> Make:
        items = self._resolve(schema.get("items") or {"type": "string"})
        item = _by_ends(self.make(items, name, depth + 1), str(schema.get("description", "")))
        of_objects = kind_of(items) == "object"
        top = of_objects and depth <= 1
        named_otherwise = any(word in name.lower() for word in OTHERS)
        usual = ITEMS if top else OTHER_NAMES if named_otherwise else SOME
        least, most = _bounds(schema, usual)
        if top:
            return _top_items(item, least, most)
        return _some_items(item, least, most, moves=item is not Passage.word)


def _meaning(name: str, schema: Json) -> str:
    """Return the words that say what a field is: its name, or what describes a short one."""
    return name if len(name) > SHORT else f"{name} {schema.get('description', '')}"


def _needless(properties: Json, required: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields that may be left out, each with the one that it would repeat."""
    for name, schema in properties.items():
        said = LEFT_OUT.search(str(schema.get("description", "")))
        if said and name not in required:
            yield name, said[2] or ""


def _by_ends(make: Make, description: str) -> Make:
    """Return what makes the same, of many words the first and the last where that is asked for."""
    asked = ENDS.search(description)
    if asked is None:
        return make
    most, words = map(int, asked.groups())

    def made(passage: Passage) -> Any:  # noqa: ANN401 - JSON
        said = str(whole := make(passage)).split()
        return whole if len(said) <= most else " ".join([*said[:words], "…", *said[-words:]])

    return made


def _top_items(item: Make, least: int, most: int) -> Make:
    def make(passage: Passage) -> list[Any]:
        count = least + int(passage.chance() * (most - least + 1))
        made = []
        for index in range(count):
            passage.focus(index, count)
            made.append(item(passage))
        return made

    return make


def _some_items(item: Make, least: int, most: int, *, moves: bool) -> Make:
    def make(passage: Passage) -> list[Any]:
        made: list[Any] = []
        kept = passage.start, passage.said
        for _ in range(least + int(passage.chance() * (most - least + 1))):
            if made and moves:
                passage.narrow()
            value = item(passage)
            if value not in made or len(made) < least:
                made.append(value)
        passage.start, passage.said = kept
        return made

    return make


def _first_real(several: list[Json]) -> Json:
    return next((option for option in several if option.get("type") not in ("null", "NULL")), {})


def kind_of(schema: Json) -> str:
    """Return a schema's type in lower case, said or meant."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "string")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind).lower()


def _bounds(schema: Json, usual: tuple[int, int]) -> tuple[int, int]:
    least, most = get(schema, "minItems"), get(schema, "maxItems")
    low = int(least) if least is not None else min(usual[0], int(most or usual[0]))
    high = int(most) if most is not None else max(usual[1], low)
    return low, max(low, min(high, max(low, usual[1])))


def _choice(options: list[Any]) -> Make:
    count = len(options)
    return lambda passage: options[int(passage.chance() * count)]


def _scalar(kind: str, schema: Json, name: str) -> Make:
    if kind in ("number", "integer"):
        return _number(kind, schema, name)
    if kind == "boolean":
        return lambda passage: passage.chance() < 0.5  # noqa: PLR2004 - a coin
    if kind == "null":
        return lambda _: None
    return _string(schema, name)


def _number(kind: str, schema: Json, name: str) -> Make:
    scored = kind == "number" and any(word in name for word in ("score", "confidence", "certain"))
    usual = (0.55, 0.99) if scored else (0.0, 1.0) if kind == "number" else (0, 100)
    low = (
        max(schema.get("minimum", usual[0]), usual[0])
        if scored
        else schema.get("minimum", usual[0])
    )
    high = (
        min(schema.get("maximum", usual[1]), usual[1])
        if scored
        else schema.get("maximum", usual[1])
    )
    if kind == "integer":
        return lambda passage: int(low) + int(passage.chance() * (int(high) - int(low) + 1))
    if step := STEPS.search(str(schema.get("description", ""))):
        size = float(step[1])
        return lambda passage: round(
            round((low + passage.chance() * (high - low)) / size) * size, 4
        )
    return lambda passage: round(low + passage.chance() * (high - low), 2)


def _string(schema: Json, name: str) -> Make:
    if schema.get("format") in ("date-time", "date"):
        stamp = "2026-01-01T00:00:00Z" if schema["format"] == "date-time" else "2026-01-01"
        return lambda _: stamp
    lower = name.lower()
    make = next((m for words, m in HINTS if any(w in lower for w in words)), Passage.phrase)
    most = get(schema, "maxLength")
    least = int(get(schema, "minLength") or 0)
    if most is None and not least:
        return make
    return lambda passage: make(passage)[: int(most or 10_000)].ljust(least, "x")
