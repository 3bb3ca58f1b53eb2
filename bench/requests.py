"""Request lines: writing a slice's file against writing the same bytes.

python -m bench.requests prints lines and megabytes per second, with instructions of 2 and 17 KB;
the floor writes bytes that are in memory already.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

from bench.table import Row, emit, ratio
from tasks import backfills
from tasks.adapters import site, workspace
from tasks.adapters.reference import models
from tasks.core.asking import generation_config
from tasks.core.requests import RequestTemplate, response_schema

LINES = 20_000
ROUNDS = 7
BACKFILL = backfills.get("passage_concepts")
INSTRUCTIONS = (2_000, 17_000)
TEXT = "Gradient descent follows the “slope” of a loss;\nit needs a derivative. " * 9


def template(size: int) -> RequestTemplate:
    """Return the product's template with an instruction of so many characters."""
    own = site.prompt(BACKFILL)
    instruction = (own * (size // len(own) + 1))[:size]
    schema = response_schema(BACKFILL.answer_model)
    config = generation_config(BACKFILL, models().find(BACKFILL.model), schema)
    return RequestTemplate(instruction, config, BACKFILL.tools)


def lines(made: RequestTemplate) -> Iterator[bytes]:
    """Yield lines of different keys and texts, as a slice's builder does."""
    for number in range(LINES):
        yield made.line(str(UUID(int=number)), f"{number} {TEXT}")


def plain(blocks: list[bytes], path: Path) -> None:
    """Write bytes that are there already."""
    with path.open("wb") as file:
        for block in blocks:
            file.write(block)


def ours(made: RequestTemplate, path: Path) -> None:
    """Write the file as the product does, digest and all."""
    workspace.write(path, lines(made), made.tail())


def unhashed(made: RequestTemplate, path: Path) -> None:
    """Write the lines without the digest that names the job."""
    with path.open("wb") as file:
        file.writelines(lines(made))


def timed(work: Callable[[Path], None]) -> list[float]:
    """Return the seconds of each round, to a file that is gone again."""
    taken = []
    with tempfile.TemporaryDirectory(prefix="bench-requests-") as place:
        for _ in range(ROUNDS):
            path = Path(place) / "requests.jsonl"
            began = time.perf_counter()
            work(path)
            taken.append(time.perf_counter() - began)
            path.unlink()
    return taken


def measure(size: int) -> None:
    """Print and hand in the figures for one size of instruction."""
    made = template(size)
    payload = b"".join(lines(made))
    blocks = [payload[at : at + 1_000_000] for at in range(0, len(payload), 1_000_000)]
    ways = {
        "the same bytes (floor)": partial(plain, blocks),
        "lines, no digest": partial(unhashed, made),
        "lines and digest (ours)": partial(ours, made),
    }
    print(f"{LINES:,} lines of {len(payload) / LINES:,.0f} bytes, min (median) of {ROUNDS}")
    found = {name: timed(work) for name, work in ways.items()}
    floor = found["the same bytes (floor)"]
    for name, taken in found.items():
        print(f"  {name:26} {speed(taken, len(payload))}  ratio {ratio(taken, floor)}")
    taken = found["lines and digest (ours)"]
    emit(
        Row(
            2,
            f"request lines, {size // 1000} KB instruction",
            speed(taken, len(payload)),
            speed(floor, len(payload)),
            ratio(taken, floor),
        )
    )


def speed(taken: list[float], size: int) -> str:
    """Return lines and megabytes a second at best, and the median's lines."""
    best = min(taken)
    return f"{LINES / best:,.0f}/s ({LINES / median(taken):,.0f}), {size / best / 1e6:,.0f} MB/s"


if __name__ == "__main__":
    for each in INSTRUCTIONS:
        measure(each)
