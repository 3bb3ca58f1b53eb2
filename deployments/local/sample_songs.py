"""Made-up songs to try a backfill on, as a curated catalogue exports them: playlists in one CSV."""

from collections.abc import Iterator
from random import Random

HEADER = ("title", "artist", "energy", "isrc", "bpm", "subgenre", "artwork", "source_file")

_FIRST = ("Blue", "Silver", "Last", "Golden", "Broken", "Paper", "Midnight", "Electric", "Quiet")
_SECOND = ("Lantern", "River", "Saturday", "Harbour", "Engine", "Garden", "Ferryman", "Carousel")
_NAMES = ("Vega, Marisol", "The Paper Kites' Club", "DJ Flamingo", "Åse Lindqvist", "Motörtown")
_STYLES = ("Nu disco", "Dream pop", "Bossa nova", "Northern soul", "Eurodance", "")
_ADDITIONS = ("", "", "", " (Live)", " (Remastered 2011)", ' (12" Mix)', " [feat. The Beach Twins]")
_LISTS = ("breakfast.csv", "late, late night.csv", "été.csv")
_EVERY = 12
"""Every so many rows one is a song that stood in another playlist already."""


def songs(limit: int) -> Iterator[tuple[str, ...]]:
    """Yield `limit` rows in the order of HEADER; one in twelve repeats a song of another list."""
    chance = Random(1958)  # noqa: S311 - the same songs every time
    rows: list[tuple[str, ...]] = []
    for number in range(limit):
        if number % _EVERY == _EVERY - 1:
            row = (*chance.choice(rows)[:-1], _LISTS[number % len(_LISTS)])
        else:
            row = _song(chance, number)
        rows.append(row)
        yield row


def _song(chance: Random, number: int) -> tuple[str, ...]:
    title = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
    return (
        title + chance.choice(_ADDITIONS),
        chance.choice(_NAMES),
        str(chance.randint(1, 5)),
        "NULL" if chance.random() < 0.4 else f"QZ0000{number:06d}",  # noqa: PLR2004
        str(chance.choice((0, 74, 96, 118, 128, 148, 174))),
        chance.choice(_STYLES),
        f"covers/{number}.jpg" if number % 3 else "",
        _LISTS[number % len(_LISTS)],
    )
