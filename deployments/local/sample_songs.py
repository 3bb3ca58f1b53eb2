"""Made-up songs to try a backfill on, as many hands have kept them in a spreadsheet."""

from collections.abc import Iterator
from random import Random

_FIRST = ("Blue", "Silver", "Last", "Golden", "Broken", "Paper", "Midnight", "Electric", "Quiet")
_SECOND = ("Lantern", "River", "Saturday", "Harbour", "Engine", "Garden", "Ferryman", "Carousel")
_NAMES = ("Vega, Marisol", "The Paper Kites' Club", "DJ Flamingo", "Åse Lindqvist", "Motörtown")
_GENRES = ("Pop", "Rock", "Jazz", "World", "Electronic", "Hip-hop", "Folk; acoustic", "", "Other")
_ADDITIONS = ("", "", "", " (Live)", " (Remastered 2011)", ' (12" Mix)', " [feat. The Beach Twins]")
_TAGS = (
    "",
    "party; holiday",
    'mum\'s "birthday"',
    "ask Jo,\r\n4 stars",
    "été",
    "=1+1",
    " two spaces ",
)


def songs(limit: int) -> Iterator[tuple[str, ...]]:
    """Yield `limit` rows of song_id, title, artist, album, year, genre, bpm and tags."""
    chance = Random(1958)  # noqa: S311 - the same songs every time
    for number in range(limit):
        title = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
        yield (
            f"S{number:05d}",
            title + chance.choice(_ADDITIONS),
            chance.choice(_NAMES),
            f"Album No. {number // 12}" if chance.random() < 0.7 else "",  # noqa: PLR2004
            str(chance.randint(1955, 2026)),
            chance.choice(_GENRES),
            str(chance.choice((0, 74, 96, 118, 128, 148, 174))),
            chance.choice(_TAGS),
        )
