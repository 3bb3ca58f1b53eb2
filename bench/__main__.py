"""`make bench`: every bench in a process of its own, as one table, kept in bench/results.md."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bench.table import ROWS, Row, collect, render

BENCHES = (
    "planning",
    "requests",
    "transfer",
    "reading",
    "grounding",
    "writing",
    "slice",
    "prefect_share",
    "full",
    "peers",
    "tiers",
    "documents",
)
RESULTS = Path(__file__).parent / "results.md"


def heading(load: float) -> str:
    """Return when and where this was measured, and with which versions."""
    packages = ("orjson", "psycopg", "pydantic", "rapidfuzz", "google-genai", "prefect")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"# Measured on {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}; {versions}. Load before: {load:.1f}.\n"
        "Read the ratios: each is against a floor measured in the same run.\n"
    )


def run(name: str) -> tuple[str, list[Row]]:
    """Run one bench, print what it prints, and return that with the rows it handed in."""
    began = time.monotonic()
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
    code = child.wait()
    title = f"{name} ended with {code}" if code else name
    return _section(title, time.monotonic() - began, printed), rows


def _section(title: str, seconds: float, printed: str) -> str:
    return f"## {title}, {seconds:.0f} s\n\n```text\n{printed.rstrip()}\n```\n"


def _echo(line: str) -> str:
    print(line, end="", flush=True)
    return line


def main(names: list[str]) -> int:
    """Run the named benches, or all; write table and details; return 0 if each came to its end."""
    chosen = names or [name for name in BENCHES if find_spec(f"bench.{name}")]
    top = heading(os.getloadavg()[0])
    parts, rows = [], []
    for name in chosen:
        part, handed_in = run(name)
        parts.append(part)
        rows += handed_in
    table = render(rows)
    print(f"\n{table}")
    RESULTS.write_text("\n".join([top, table, "", *parts]), encoding="utf-8")
    return int(any(" ended with " in part.splitlines()[0] for part in parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
