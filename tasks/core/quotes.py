"""The quotes of one answer, for a person to see: each with its place, or why it has none."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from tasks.core.concepts import find_in_column
from tasks.core.folding import fold
from tasks.core.graphemes import is_word, width
from tasks.core.grounding import MAX_FUZZY, MIN_FUZZY, MIN_SCORE, Match, Span, Text
from tasks.core.highlight import excerpts, highlight
from tasks.core.markdown import Markdown, escape
from tasks.core.template import Part

SHORT = 3_000
"""Characters of a text that is shown whole; of a longer one what is around its quotes."""


class Quote(NamedTuple):
    """What an answer quotes; without a place, why there is none."""

    quote: str
    span: Span | None
    why: str = ""

    def sentence(self) -> Markdown:
        """Return the quote, and how it was found or why not."""
        return Markdown(f"“{escape(self.quote)}”: {self.why or self._found()}")

    def _found(self) -> str:
        assert self.span is not None  # noqa: S101 - else there is a why
        start, end, match, score = self.span
        close = f", score {score:.0f} of 100" if match is Match.APPROXIMATE else ""
        return f"{match}{close}, characters {start:,} to {end:,}"


class NotedText(Text):
    """A text that remembers what was looked for in it."""

    def __init__(self, passage: str, parts: Sequence[Part] = ()) -> None:
        super().__init__(passage)
        self._parts = parts
        self._sought: dict[str, int | None] = {}

    def find(self, quote: str, near: int | None = None) -> Span | None:
        """Return where the quote stands, or None where it does not."""
        self._sought[quote] = near
        return super().find(quote, near)

    def find_alone(self, quote: str) -> Span | None:
        """Return where the quote stands if it does so once."""
        self._sought.setdefault(quote, None)
        return super().find_alone(quote)

    def quotes(self) -> list[Quote]:
        """Return everything that was looked for, each once, in its order."""
        return [self._quote(Text(self.passage), *each) for each in self._sought.items()]

    def _quote(self, text: Text, quote: str, near: int | None) -> Quote:
        found = text.find(quote, near)
        if found is None:
            return Quote(quote, None, why_nowhere(self.passage, quote))
        span = find_in_column(text, self._parts, quote, near)
        return Quote(quote, span, "" if span else "it stands across columns, and within none")


def why_nowhere(passage: str, quote: str) -> str:
    """Return why a quote that is not found stands nowhere, for a person to read."""
    wanted = fold(quote.strip())
    if len(wanted) < 2 and not is_word(wanted):  # noqa: PLR2004 - as it is looked for
        return "a single character proves nothing" if wanted else "it is empty"
    if not MIN_FUZZY <= width(wanted) <= MAX_FUZZY:
        size = "short" if width(wanted) < MIN_FUZZY else "long"
        return f"it is not in the text, and too {size} to be looked for by likeness"
    score = fuzz.partial_ratio(wanted, fold(passage))
    nearest = f"score {score:.0f} of 100" if score < MIN_SCORE else "are no whole words alike"
    return f"it is not in the text: the nearest words {nearest}, and {MIN_SCORE:.0f} are wanted"


def marked(text: str, quotes: Iterable[Quote]) -> Markdown:
    """Return a text in one line with its quotes in bold; of a long one what is around them."""
    spans = [(quote.span.start, quote.span.end) for quote in quotes if quote.span]
    if len(text) <= SHORT:
        return highlight(text, spans)
    shown = excerpts(text, spans) if spans else highlight(f"{text[:SHORT]}…", ())
    return Markdown(f"({len(text):,} characters) {shown}")
