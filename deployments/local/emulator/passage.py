"""Words for answers: quotes, names and sentences taken from the text that was asked about."""

from random import Random

EDGE = " \t\r\n.,;:!?\"'()[]{}<>`*_#-=/\\|~"
SWAP = str.maketrans({"'": "\u2019", '"': "\u201d", "-": "\u2013"})
FILLER = "the passage describes how this works"
INVENTED = (
    "a finding that nobody wrote down here",
    "as was shown beyond doubt elsewhere",
    "the committee later withdrew this claim",
)
ODDS_TYPOGRAPHY, ODDS_CHANGED, ODDS_INVENTED = 0.03, 0.005, 0.002


class Passage:
    """A text, a source of chance, and the stretch of text that is being spoken of."""

    __slots__ = ("end", "random", "start", "text", "trouble")

    def __init__(self, text: str, random: Random, trouble: float = 0.0) -> None:
        self.text = text if text.strip() else FILLER
        self.random = random
        self.trouble = trouble
        self.start, self.end = 0, len(self.text)

    def focus(self, index: int, count: int) -> None:
        """Move to the index-th of count stretches, so that items speak of different places."""
        text, size = self.text, len(self.text)
        step = size / count
        at = int(index * step + self.random.random() * step * 0.5)
        start = text.find(" ", at) + 1 if at else 0
        end = text.find(" ", start + 12 + int(self.random.random() * 50))
        self.start, self.end = start, end if end > 0 else size

    def span(self) -> str:
        """Return the focused stretch, verbatim, from word to word."""
        return self.text[self.start : self.end].strip() or self.text[:80].strip()

    def quote(self) -> str:
        """Return a quote: verbatim but for the share of trouble seen in the field."""
        quote = self.span()
        if not self.trouble:
            return quote
        luck = self.random.random() / self.trouble
        if luck >= ODDS_TYPOGRAPHY + ODDS_CHANGED + ODDS_INVENTED:
            return quote
        if luck < ODDS_TYPOGRAPHY:
            return self.restyled(quote)
        if luck < ODDS_TYPOGRAPHY + ODDS_CHANGED:
            return self.reworded(quote)
        return self.random.choice(INVENTED)

    def restyled(self, quote: str) -> str:
        """Return the quote with other case, white space or punctuation marks."""
        ways = (
            quote.upper(),
            quote[:1].swapcase() + quote[1:],
            " ".join(quote.split()).replace(" ", "  ", 1),
            quote.translate(SWAP),
        )
        changed = [way for way in ways if way != quote]
        return self.random.choice(changed) if changed else quote

    def reworded(self, quote: str) -> str:
        """Return the quote with one word replaced."""
        words = quote.split(" ")
        words[self.random.randrange(len(words))] = "somewhat"
        return " ".join(words)

    def phrase(self) -> str:
        """Return one to three words of the focused stretch in lower case."""
        words = [w for w in (word.strip(EDGE) for word in self.span().split()) if len(w) > 3]  # noqa: PLR2004 - short words name nothing
        if not words:
            return self.span().strip(EDGE).lower()[:40] or "untitled"
        most = 1 + int(self.random.random() * 3)
        return " ".join(words[:most]).lower()[:60]

    def word(self) -> str:
        """Return a short other name."""
        words = self.phrase().split()
        return words[int(self.random.random() * len(words))]

    def sentence(self) -> str:
        """Return a sentence about the focused stretch."""
        return f"The text speaks of {self.phrase()} where it says: {' '.join(self.span().split())}."
