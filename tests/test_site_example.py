"""The example of a site file: read by the loader itself, with every key that it knows."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tasks import backfills
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError
from tasks.core.site import Plain, configure

EXAMPLE = Path(__file__).resolve().parents[1] / "backfills.example.toml"
SETTING = re.compile(r"^#(?=[\w\[])", re.MULTILINE)
PARTS = ("source", "target", "options")

Site = dict[str, Any]


def uncommented() -> Site:
    return tomllib.loads(SETTING.sub("", EXAMPLE.read_text(encoding="utf-8")))


def read(site: Site) -> dict[str, Backfill]:
    return configure(backfills.declared(), site, EXAMPLE.name, lambda name: [f"from {name}"])


def known() -> set[str]:
    """Return every key of the loader, those of a part with the part's kind."""
    found = {*Plain.model_fields, "of"}
    for backfill in backfills.declared().values():
        found |= {f"options.{name}" for name in type(backfill.options).model_fields}
        for part in (backfill.source, backfill.target):
            found |= {f"{type(part).__name__}.{field.name}" for field in fields(part)}
    return found


def used(site: Site) -> Iterator[str]:
    """Yield every key of a site file, named alike."""
    declared = backfills.declared()
    for name, section in site.items():
        backfill = declared[section.get("of", name)]
        yield from (key for key in section if key not in PARTS)
        yield from (f"options.{key}" for key in section.get("options", {}))
        for part in ("source", "target"):
            kind = type(getattr(backfill, part)).__name__
            yield from (f"{kind}.{key}" for key in section.get(part, {}))


def test_the_example_as_it_is_changes_nothing() -> None:
    assert tomllib.loads(EXAMPLE.read_text(encoding="utf-8")) == {}


def test_the_example_has_every_key_of_the_loader_and_no_other() -> None:
    assert set(used(uncommented())) == known()


def test_the_loader_takes_every_line_of_the_example() -> None:
    site = uncommented()

    found = read(site)

    assert set(found) == {*backfills.declared(), "abstract_concepts"}
    songs = found["songs"]
    assert (songs.source.text, songs.google_search) == ("{Artist} - {Name}", True)
    assert songs.options.model_dump() == {"subgenres": ("from subgenres.txt",)}
    for name, backfill in found.items():
        backfills.refuse(backfill, name)
    assert found["abstract_concepts"].checkpoint == "backfill_kb.paper_concepts_gemini_batch_v1"


@pytest.mark.parametrize("name", uncommented())
def test_a_section_of_the_example_stands_alone(name: str) -> None:
    assert name in read({name: uncommented()[name]})


def test_a_key_that_the_loader_does_not_know_would_be_refused() -> None:
    site = uncommented()
    site["songs"]["source"]["where"] = "true"

    with pytest.raises(SettingsError, match="'where' is unknown"):
        read(site)
