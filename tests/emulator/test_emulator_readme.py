"""The emulator's README names what can be switched, asked and expected."""

import re
from pathlib import Path

from deployments.local import emulator
from deployments.local.emulator.app import ADMIN
from deployments.local.emulator.faults import KINDS
from deployments.local.emulator.models import ROUTED
from deployments.local.emulator.store import DEFAULTS

README = Path(emulator.__file__).with_name("README.md").read_text()
NAMED = set(re.findall(r"`([^`]+)`", README))
KNOWN = ("documented", "live", "assumed")


def section(title: str) -> str:
    return README.split(f"\n## {title}")[1].split("\n## ")[0]


def cells(text: str) -> list[list[str]]:
    """Return the rows of a text's tables without their headings."""
    rows = [line.strip("| \n") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


def test_every_kind_of_fault_is_named() -> None:
    assert set(KINDS) - NAMED == set()


def test_every_setting_is_named_and_no_other() -> None:
    rows = [row[0].strip("`") for row in cells(section("Settings"))]

    assert rows[1:] == list(DEFAULTS)


def test_every_endpoint_of_its_own_is_named() -> None:
    paths = {path.replace(":path", "") or "/" for _, path, _ in ADMIN}

    assert paths - NAMED == set()


def test_every_behaviour_says_how_it_is_known() -> None:
    rows = cells(section("What it does"))

    behaviours = [row for row in rows if row[0] != "behaviour"]
    assert len(behaviours) > 50
    assert [row for row in behaviours if not row[1].startswith(KNOWN)] == []


def test_every_routed_model_is_named_with_its_day() -> None:
    short = {name: name.removeprefix("gemini-") for name in ROUTED}

    for name, (day, successor) in ROUTED.items():
        rows = [row for row in README.splitlines() if f"{short[name]} is answered" in row]
        rows += [row for row in README.splitlines() if f", {short[name]} by" in row]
        assert rows, name
        assert day in rows[0]
        assert successor.removeprefix("gemini-") in rows[0]
