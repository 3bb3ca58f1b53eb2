"""`make bench`: every bench in turn, printed and kept in bench/results.md with date and machine."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BENCHES = ("grounding", "reading", "documents")
RESULTS = Path(__file__).parent / "results.md"


def heading() -> str:
    """Return when and where this was measured, and with which versions."""
    packages = ("orjson", "psycopg", "pydantic", "rapidfuzz", "google-genai", "prefect")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"# Measured on {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}; {versions}. Load before: {os.getloadavg()[0]:.1f}.\n"
        "Read the ratios: each is against a floor measured in the same run.\n"
    )


def main(names: list[str]) -> None:
    """Run the named benches, or all, and write what they print."""
    parts = [heading()]
    for name in names or BENCHES:
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"], check=True, stdout=subprocess.PIPE, text=True
        )
        print(done.stdout)
        parts.append(f"## {name}\n\n```text\n{done.stdout.rstrip()}\n```\n")
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
