"""Words for answers: quotes, names and sentences taken from the text that was asked about."""

import re
from random import Random

NAME = re.compile(r"[^\W\d_]{4,}")
SWAP = str.maketrans({"'": "\u2019", '"': "\u201d", "-": "\u2013"})
FILLER = "the passage describes how this works"
INVENTED = (
    "a finding that nobody wrote down here",
    "as was shown beyond doubt elsewhere",
    "the committee later withdrew this claim",
)
ODDS = (0.03, 0.035, 0.037)  # restyled, or a word changed as well, or invented as well


class Passage:
    """A text, a source of chance, and the stretch of words that is being spoken of.

    The words are cut at single spaces, so that joining a stretch of them gives the text verbatim.
    """

    __slots__ = (
        *("at", "chance", "end", "many", "names", "odds", "places", "random", "said", "start"),
        *("text", "words"),
    )

    def __init__(self, text: str, random: Random, trouble: float = 0.0) -> None:
        self.text = text if text.strip() else FILLER
        self.words = self.text.split(" ")
        self.places = [found.span() for found in NAME.finditer(self.text)] or [(0, len(self.text))]
        self.names = [self.text[start:end].strip().lower()[:40] for start, end in self.places]
        self.random = random
        self.chance = random.random
        self.odds = tuple(share * trouble for share in ODDS)
        self.focus(0, 1)

    def focus(self, index: int, count: int) -> None:
        """Move to the index-th of count stretches, so that items speak of different places."""
        chance, size = self.chance, len(self.words)
        place = (index + chance() * 0.5) / count
        self.start = start = int(place * size)
        self.end = end = start + 3 + int(chance() * 8)
        self.at = int(place * len(self.names))
        self.many = 1
        self.said = " ".join(self.words[start:end]).strip() or self.text[:80].strip()

    def narrow(self) -> None:
        """Move to a part of the stretch."""
        self.start += int(self.chance() * max(1, (self.end - self.start) // 2))
        self.said = " ".join(self.words[self.start : self.end]).strip() or self.said

    def quote(self) -> str:
        """Return a quote: verbatim but for the share of trouble seen in the field."""
        if self.chance() >= self.odds[-1]:
            return self.said
        return self._hurt(self.said)

    def _hurt(self, quote: str) -> str:
        luck = self.chance() * self.odds[-1]
        if luck < self.odds[0]:
            return self.restyled(quote)
        return self.reworded(quote) if luck < self.odds[1] else self.random.choice(INVENTED)

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
        """Return one to three words of the text in lower case."""
        self.many = 1 + int(self.chance() * 3)
        return " ".join(self.names[self.at : self.at + self.many])[:60]

    def surface(self) -> str:
        """Return the words of the last phrase as the text has them, with what stands between."""
        places = self.places[self.at : self.at + self.many]
        return self.text[places[0][0] : places[-1][1]].strip()[:60]

    def word(self) -> str:
        """Return another word of the text."""
        names = self.names
        return names[int(self.chance() * len(names))]

    def sentence(self) -> str:
        """Return a sentence about the focused stretch."""
        return f"The text speaks of {self.names[self.at]} where it says: {self.said}."
