"""What reports say of single targets, and the same reports without them."""

import csv
import io
import re
from collections.abc import Collection

from tasks.core.csv_cells import safe
from tasks.core.markdown import escape

_SECTION = re.compile(r"^(?=### \d)", re.MULTILINE)
_NAMED = re.compile(r"(?:### \d+\. |\| |\* |(?:Row )?`)(.*?)(?: \|.*|`)?")
"""A line that begins what a page says of one target: a heading, a table's row, an item, an id."""


def as_shown(names: Collection[str]) -> set[str]:
    """Return names, of targets or ids, in every form that a page gives them."""
    lines = {" ".join(name.split()) for name in names}
    return lines | {line.replace("|", "\\|") for line in lines} | {escape(line) for line in lines}


def is_named(page: str, shown: Collection[str]) -> bool:
    """Return whether a page speaks of one of the targets, by its id or its name."""
    found = (_NAMED.fullmatch(line) for line in page.splitlines())
    return any(_is_one(each[1], shown) for each in found if each)


def _is_one(said: str, shown: Collection[str]) -> bool:
    if said.endswith(" …"):
        return any(name.startswith(said.removesuffix(" …")) for name in shown)
    return said in shown


def sample_without(page: str, ids: Collection[str]) -> str:
    """Return a page of targets with their texts, but without some."""
    sections, shown = _SECTION.split(page), as_shown(ids)
    return "".join(each for each in sections if not is_named(_beginning(each), shown))


def _beginning(section: str) -> str:
    return "\n".join(section.splitlines()[:3])


def bad_list_without(table: str, ids: Collection[str]) -> str:
    """Return a list of bad generations, but without those of some targets."""
    listed = {*ids, *(safe(each, "quoted") for each in ids)}
    reader = csv.DictReader(io.StringIO(table, newline=""))
    text = io.StringIO()
    writer = csv.DictWriter(text, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in reader if row.get("target_id") not in listed)
    return text.getvalue()
