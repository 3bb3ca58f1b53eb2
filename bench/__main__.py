"""`make bench`: every bench in a process of its own, as one table, kept in bench/results.md.

Some by name (`make bench ARGS="reading writing"`) renew their part; the rest stays as measured.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.table import ROWS, Row, collect, parsed, render

BENCHES = (
    "planning",
    "large_plan",
    "requests",
    "transfer",
    "reading",
    "grounding",
    "writing",
    "slice",
    "restoring",
    "prefect_share",
    "full",
    "peers",
    "dollars",
    "documents",
    "diet",
)
HERE = Path(__file__).parent
RESULTS = HERE / "results.md"
"""A bench that is run again renews its section, and the rows under its number."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one bench came to."""

    name: str
    at: str
    load: float
    seconds: float
    code: int
    printed: str
    rows: list[Row]

    def section(self) -> str:
        """Return it as a section of the results."""
        ended = f", ended with {self.code}" if self.code else ""
        title = f"{self.name}, {self.seconds:.0f} s on {self.at}, load before: {self.load:.1f}"
        return f"## {title}{ended}\n\n```text\n{self.printed.rstrip()}\n```\n"


def merged(before: str, parts: Sequence[Part]) -> tuple[list[Row], list[str]]:
    """Return the results' rows and sections, those of some benches renewed."""
    table, *sections = re.split(r"^## ", before, flags=re.MULTILINE)
    said = {each.split(",")[0]: f"## {each.rstrip()}\n" for each in sections}
    said |= {part.name: part.section() for part in parts}
    renewed = [row for part in parts for row in part.rows]
    numbers = {row.number for row in renewed}
    rows = [row for row in parsed(table) if row.number not in numbers]
    return rows + renewed, [said[name] for name in BENCHES if name in said]


def heading() -> str:
    """Return where this was measured, and with which versions."""
    packages = ("orjson", "psycopg", "pydantic", "rapidfuzz", "google-genai", "prefect")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"# Measured until {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n\n"
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}; {versions}.\n"
        "Read the ratios: each is against a floor measured in the same run.\n"
    )


def run(name: str) -> Part:
    """Run one bench, print what it prints, and return that with the rows it handed in."""
    began, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-rows-") as place:
        path = Path(place) / "rows"
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", f"bench.{name}"],
            env={**os.environ, ROWS: str(path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        printed = "".join(map(_echo, child.stdout or ()))
        rows = collect(path)
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return Part(name, now, load, time.monotonic() - began, child.wait(), printed, rows)


def _echo(line: str) -> str:
    print(line, end="", flush=True)
    return line


def main(names: list[str]) -> int:
    """Run the named benches, or all; write table and details; return 0 if each came to its end."""
    parts = [run(name) for name in names or BENCHES]
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    rows, sections = merged(before, parts)
    table = render(rows)
    print(f"\n{table}")
    RESULTS.write_text("\n".join([heading(), table, "", *sections]), encoding="utf-8")
    return int(any(part.code for part in parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
