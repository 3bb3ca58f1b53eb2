"""Made-up job adverts to try a backfill on, most of them with a placeholder for a vector."""

from collections.abc import Iterator
from random import Random

_TITLES = ("Data engineer", "Nurse", "Welder", "Backend developer", "Accountant", "Head chef")
_SKILLS = ("PostgreSQL", "Python", "double-entry bookkeeping", "MIG welding", "triage", "Terraform")
_PLACES = ("in Leipzig", "on site in Porto", "fully remote", "in three hospitals of the region")
DIMENSIONS = 768


def jobs(limit: int, placeholders: int) -> Iterator[dict[str, object]]:
    """Yield adverts; the first `placeholders` of them hold one of the placeholders of the field."""
    chance = Random(19)  # noqa: S311 - the same adverts every time
    for number in range(limit):
        title, place = chance.choice(_TITLES), chance.choice(_PLACES)
        first, second = chance.sample(_SKILLS, 2)
        yield {
            "job_id": f"job-{number:04d}",
            "title": title,
            "description": (
                f"{title} wanted {place} (reference {number}). You work with {first} every day and"
                f" have heard of {second}. {chance.randint(0, 9)} years of experience are expected."
                " We offer a permanent contract, thirty days of leave and a canteen."
            ),
            "embedding": _placeholder(number) if number < placeholders else _real(chance),
        }


def _placeholder(number: int) -> list[float] | None:
    kinds: tuple[list[float] | None, ...] = (
        [round(0.414 + place / 1000, 3) for place in range(384)],
        [round(0.414 + place / 1000, 3) for place in range(DIMENSIONS)],
        [0.0] * DIMENSIONS,
        None,
    )
    return kinds[number % len(kinds)]


def _real(chance: Random) -> list[float]:
    values = [chance.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]
