"""Made-up job adverts to try a backfill on, most of them with a placeholder for a vector."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

_POSITIONS = ("Data engineer", "Nurse", "Welder", "Backend developer", "Accountant", "Head chef")
_SKILLS = ("PostgreSQL", "Python", "double-entry bookkeeping", "MIG welding", "triage", "Terraform")
_COMPANIES = ("Harbour & Sons", "Elbe Clinics", "Ferro Works", "Datenwerk", "Casa Lume")
_PLACES = {
    "Leipzig": "in Leipzig",
    "Porto": "on site in Porto",
    "Remote": "fully remote",
    "Saxony": "in three hospitals of the region",
}
_TAGS = ("full-time", "part-time", "shift work", "visa", "relocation")
DIMENSIONS = 768


def jobs(limit: int, placeholders: int) -> Iterator[dict[str, object]]:
    """Yield adverts; the first `placeholders` of them hold one of the placeholders of the field."""
    chance = Random(19)  # noqa: S311 - the same adverts every time
    for number in range(limit):
        position, location = chance.choice(_POSITIONS), chance.choice(list(_PLACES))
        first, second = chance.sample(_SKILLS, 2)
        vector = _placeholder(number) if number < placeholders else _real(chance)
        yield {
            "id": f"job-{number:04d}",
            "company": chance.choice(_COMPANIES),
            "position": position,
            "location": location,
            "url": f"https://jobs.example.org/{number}",
            "tags": chance.sample(_TAGS, 2),
            "description": (
                f"{position} wanted {_PLACES[location]} (reference {number}). You work with {first}"
                f" every day and have heard of {second}. {chance.randint(0, 9)} years of experience"
                " are expected. We offer a permanent contract, thirty days of leave and a canteen."
            ),
            "embedding": None if vector is None else json.dumps(vector),
            "created_at": datetime(2026, 1, 1) + timedelta(hours=number),  # noqa: DTZ001 - as theirs
        }


def _placeholder(number: int) -> list[float] | None:
    kinds: tuple[list[float] | None, ...] = (
        [round(0.414 + place / 1000, 3) for place in range(384)],
        [round(0.01 + place / 1e6, 6) for place in range(DIMENSIONS)],
        [0.0] * DIMENSIONS,
        None,
    )
    return kinds[number % len(kinds)]


def _real(chance: Random) -> list[float]:
    values = [chance.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]
