"""Concepts with the evidence that shows them: what backfills of concepts have in common."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, Field, create_model

from tasks.core.backfill import Answer, Options, Record
from tasks.core.grounding import Match, Span, Text
from tasks.core.identity import as_written, names, same_name, snake_case
from tasks.core.salvage import without_lone_surrogates
from tasks.core.template import Part
from tasks.core.unseen import only_seen
from tasks.core.wire import Ends, LeftOut, Steps

CONTEXT = 300  # characters around the quote
SOURCE_TEXT = 1_200  # characters of the passage
_SHORT = 5  # characters of a surface that may well be in the middle of a word

_COUNTED = {match: f"match:{match}" for match in Match}
TYPES = (
    "method",
    "objective",
    "prior",
    "model",
    "dataset",
    "field",
    "math_object",
    "metric",
    "domain",
    "algorithm",
    "technique",
)
"""What a concept may be, where a site names no vocabulary of its own."""


class Evidence(NamedTuple):
    """Evidence as JSON bytes fit for jsonb, and the spans in it."""

    json: bytes
    spans: list[Span]


class PassageEvidence:
    """Writes the evidence of one passage; what all its rows have in common is encoded once."""

    def __init__(self, text: Text, parts: Sequence[Part] = ()) -> None:
        self._text = text
        self._parts = parts
        self._passage = passage = text.passage
        self._encoded = storable(passage)
        self._is_short = len(passage) <= SOURCE_TEXT
        # Whether jsonb can hold every quote as it stands, so that it still equals its span.
        self._is_storable = _is_storable(passage)
        # Whether each character is one byte when encoded, so that any slice is encoded already.
        self._is_sliceable = (
            self._is_storable and passage.isascii() and len(self._encoded) == len(passage) + 2
        )

    def about(
        self, surface: str, quotes: Sequence[str], confidence: float | None = None
    ) -> Evidence:
        """Return the evidence for one answer; a quote that is not in the passage is only noted."""
        if not (surface.isascii() and surface.isprintable()):
            surface = only_seen(surface, self._passage)
        spans = self._found(quotes, surface)
        json = b'{"surface":%b,"support":[%b],"context":%b,"source_text":%b,"quality":%b}' % (
            storable(surface),
            self._support(spans),
            self._around(spans[0], CONTEXT) if spans else b'""',
            self._encoded if self._is_short else self._source_text(spans),
            _quality(confidence, tuple([span[2:] for span in spans]), len(quotes)),
        )
        return Evidence(json, spans)

    def _found(self, quotes: Sequence[str], surface: str) -> list[Span]:
        spans = [self._text.find_alone(quote) for quote in quotes]
        if self._parts or None in spans:
            near = self._near(surface)
            spans = [
                find_in_column(self._text, self._parts, quote, near)
                if self._parts or span is None
                else span
                for quote, span in zip(quotes, spans, strict=True)
            ]
        found = [span for span in spans if span is not None]
        if self._is_storable:
            return found
        return [span for span in found if _is_storable(self._passage[span.start : span.end])]

    def _near(self, surface: str) -> int | None:
        """Return where the surface stands, for quotes that stand at several places."""
        if not surface:
            return None
        near = self._passage.find(surface)
        return self._text.hint(surface) if near < 0 or len(surface) < _SHORT else near

    def _support(self, spans: Sequence[Span]) -> bytes:
        cut = self._slice
        if self._parts:
            return b",".join([self._in_column(span) for span in spans])
        return b",".join(
            [
                b'{"quote":%b,"start":%d,"end":%d}' % (cut(start, end), start, end)
                for start, end, _, _ in spans
            ]
        )

    def _in_column(self, span: Span) -> bytes:
        part = _part_of(self._parts, span)
        assert part is not None  # noqa: S101 - only such spans are kept
        return b'{"quote":%b,"column":%b,"start":%d,"end":%d}' % (
            self._slice(span.start, span.end),
            storable(part.column),
            span.start - part.start,
            span.end - part.start,
        )

    def _around(self, span: Span, size: int) -> bytes:
        """Return up to `size` characters of the passage with the span in their middle."""
        length = len(self._passage)
        start = (span[0] + span[1] - size) // 2
        if start > 0:
            start = max(0, min(start, length - size, span[0]))
            return self._slice(start, min(start + size, length))
        return self._slice(0, min(size, length))

    def _source_text(self, spans: Sequence[Span]) -> bytes:
        return self._around(spans[0], SOURCE_TEXT) if spans else self._slice(0, SOURCE_TEXT)

    def _slice(self, start: int, end: int) -> bytes:
        if self._is_sliceable:
            return b'"%b"' % self._encoded[start + 1 : end + 1]
        return storable(self._passage[start:end])


def find_in_column(
    text: Text, parts: Sequence[Part], quote: str, near: int | None = None
) -> Span | None:
    """Return where a quote stands within one column's value, at its first place or another."""
    first = text.find(quote, near)
    if first is None or not parts or _part_of(parts, first):
        return first
    found = (_find_within(text.passage, part, quote) for part in parts)
    return next((span for span in found if span and span.score >= first.score), None)


def _part_of(parts: Sequence[Part], span: Span) -> Part | None:
    """Return the column whose value holds the whole quote."""
    inside = (p for p in parts if p.start <= span.start and span.end <= p.end)
    return next(inside, None)


def storable(text: str) -> bytes:
    """Return a JSON string that Postgres's jsonb takes: without NUL, lone surrogates as U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        return orjson.dumps(without_lone_surrogates(text))


def _find_within(passage: str, part: Part, quote: str) -> Span | None:
    span = Text(passage[part.start : part.end]).find(quote)
    if span is None:
        return None
    return span._replace(start=part.start + span.start, end=part.start + span.end)


def _is_storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or text == without_lone_surrogates(text))


@lru_cache(maxsize=8192)
def _quality(
    confidence: float | None, matches: tuple[tuple[Match, float], ...], quotes: int
) -> bytes:
    notes = dict.fromkeys(_note(match, score) for match, score in matches)
    if not quotes:
        notes["no quote given"] = None
    if len(matches) < quotes:
        notes["quote not found in the text"] = None
    return orjson.dumps({"confidence": confidence, "notes": "; ".join(notes)})


def _note(match: Match, score: float) -> str:
    return f"{match}, score {score:.0f}" if match is Match.APPROXIMATE else str(match)


class ConceptOptions(Options):
    """What a site may choose for a backfill of concepts."""

    concept_types: tuple[str, ...] = Field(TYPES, min_length=2)
    name_style: Literal["snake_case", "as_written"] = "snake_case"


class Concept(BaseModel):
    """One concept, and where the text speaks of it; a site narrows the type."""

    name: str = Field(min_length=1, description="Usual short name, at most six words")
    type: str
    aliases: Annotated[list[str], LeftOut()] = Field(
        description="Other names that the text itself uses"
    )
    confidence: Annotated[float, Steps(0.05)] = Field(ge=0, le=1)
    surface: Annotated[str, LeftOut(same_as="name")] = Field(
        description="The concept as the text words it, copied exactly"
    )
    quotes: Annotated[list[str], Ends(3)] = Field(
        description="One or two spans copied character by character"
    )


class ConceptAnswer(BaseModel):
    """The concepts of one text, the most important first."""

    concepts: list[Concept]


def answer(options: ConceptOptions) -> type[BaseModel]:
    """Return the model of an answer whose concepts are of the site's types."""
    types: Any = Literal[options.concept_types]
    concept: Any = create_model("Concept", __base__=Concept, type=(types, ...))
    return create_model("ConceptAnswer", __base__=ConceptAnswer, concepts=(list[concept], ...))


def records(answer: Answer) -> Iterator[Record]:
    """Yield one row per concept name, with evidence grounded in the target's text."""
    evidence = PassageEvidence(answer.grounding, answer.target.parts)
    named = _by_name(answer.value.concepts, answer.options.name_style)
    spans: list[Span] = []
    quotes = 0
    for name, concept in named.items():
        found = evidence.about(concept.surface, concept.quotes, concept.confidence)
        spans += found.spans
        quotes += len(concept.quotes)
        yield {
            "concept_name": name,
            "concept_type": concept.type,
            "aliases": names(concept.aliases),
            "confidence": concept.confidence,
            "evidence": found.json,
        }
    answer.counts.update([_COUNTED[span.match] for span in spans])
    answer.counts["match:unplaced"] += quotes - len(spans)
    answer.counts["concepts"] += len(named)


def _by_name(concepts: Sequence[Concept], style: str) -> dict[str, Concept]:
    """Return the concepts by their canonical names; the first of a name is the more important."""
    canonical = snake_case if style == "snake_case" else as_written
    named: dict[str, tuple[str, Concept]] = {}
    for concept in concepts:
        name = canonical(concept.name)
        named.setdefault(same_name(name), (name, concept))
    named.pop("", None)
    return dict(named.values())
