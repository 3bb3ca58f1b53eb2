"""`make bench`: every bench in a process of its own, as one table, kept in bench/results.md.

Some by name (`make bench ARGS="reading writing"`) renew their part; the rest stays as measured.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson

from bench.table import ROWS, Row, collect, render

BENCHES = (
    "planning",
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
    "tiers",
    "documents",
    "diet",
)
HERE = Path(__file__).parent
RESULTS = HERE / "results.md"
KEPT = HERE.parent / ".local" / "bench"
"""What each bench came to the last time, from which the results are put together."""


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

    def keep(self) -> None:
        """Store it beside the others."""
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{self.name}.json").write_bytes(orjson.dumps(asdict(self)))


def kept() -> list[Part]:
    """Return what every bench came to the last time, in the order of the table."""
    found = [KEPT / f"{name}.json" for name in BENCHES]
    stored = [orjson.loads(path.read_bytes()) for path in found if path.exists()]
    return [Part(**{**each, "rows": [Row(**row) for row in each["rows"]]}) for each in stored]


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
    codes = []
    for name in names or BENCHES:
        part = run(name)
        codes.append(part.code)
        part.keep()
    parts = kept()
    table = render([row for part in parts for row in part.rows])
    print(f"\n{table}")
    sections = [part.section() for part in parts]
    RESULTS.write_text("\n".join([heading(), table, "", *sections]), encoding="utf-8")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
