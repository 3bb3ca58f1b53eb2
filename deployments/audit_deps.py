"""`python -m deployments.audit_deps PLACE`: known advisories of what requirements.lock pins.

PLACE is a copy of https://github.com/pypa/advisory-database (CC BY 4.0): it is read offline.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

LOCK = Path(__file__).parents[1] / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_MODIFIED = re.compile(r"^modified: [\"']?([\d-]{10})", re.MULTILINE)


def main() -> int:
    """Print what is known; return 1 for an advisory, 2 where there is nothing to look in."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "")
    dates = [found for path in place.glob("vulns/*/*.yaml") for found in _dates(path)]
    if not dates:
        _say(
            "There is no copy of the advisories: git clone --depth 1"
            " https://github.com/pypa/advisory-database, and make audit-deps ADVISORIES=its-folder."
        )
        return 2
    pins = dict(_PIN.findall(LOCK.read_text()))
    found = [line for name, version in pins.items() for line in advisories(place, name, version)]
    for line in found:
        _say(line)
    _say(
        f"{len(found)} advisories of {len(pins)} pinned packages, as pypa/advisory-database of"
        f" {max(dates)} knows them ({len(dates):,} advisories)."
    )
    return 1 if found else 0


def advisories(place: Path, name: str, version: str) -> Iterator[str]:
    """Yield a line for every advisory that is about this version of a package."""
    folder = re.sub(r"[-_.]+", "-", name).lower()
    for path in sorted((place / "vulns" / folder).glob("*.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not said.get("withdrawn") and any(_is_about(each, version) for each in said["affected"]):
            known_as = ", ".join([said["id"], *said.get("aliases", [])])
            yield f"{name}=={version}: {known_as}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _dates(path: Path) -> list[str]:
    return _MODIFIED.findall(path.read_text(encoding="utf-8"))


def _is_about(affected: Mapping[str, Any], version: str) -> bool:
    if version in affected.get("versions", ()):
        return True
    spans = (each for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM")
    return any(_holds(each["events"], Version(version)) for each in spans)


def _holds(events: list[Mapping[str, str]], version: Version) -> bool:
    """Return whether a version lies in a range: the last event at or before it says so."""
    is_in = False
    for event in events:
        ((kind, at),) = event.items()
        since = Version(at)
        if kind == "introduced" and version >= since:
            is_in = True
        elif (kind == "fixed" and version >= since) or (
            kind == "last_affected" and version > since
        ):
            is_in = False
    return is_in


if __name__ == "__main__":
    sys.exit(main())
