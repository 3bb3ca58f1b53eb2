"""Pages and the terminal's status fit: no table is wider than 800 px, no line than 100 columns."""

import io
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from engine_hand import Engine
from jinja2 import Template
from markdown_it import MarkdownIt
from operator_hand import in_flight
from rich.console import Console

from deployments import status as command
from tasks.adapters import status
from tasks.adapters.pages import render
from tasks.core.quality import bar
from tasks.core.status import duration
from tasks.reports.audit import look, write

PAGE, LETTER, PADDING = 800, 7.5, 24
"""In pixels; a browser breaks a cell's text at white space, hyphens, and where it is told to."""

BREAKS = re.compile(r"[\s\u200b-]+")


def widths(page: str) -> dict[str, float]:
    """Return how narrow each of a page's tables can become, by its first line."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    found: dict[str, float] = {}
    longest: list[int] = []
    title, at = "", 0
    for opened, inline in pairwise([*tokens, *tokens[-1:]]):
        if opened.type == "table_open":
            longest, title = [], ""
        elif opened.type == "tr_open":
            at = 0
        elif opened.type in ("th_open", "td_open"):
            text = "".join(each.content for each in inline.children or ())
            longest += [0] if at == len(longest) else []
            longest[at] = max([longest[at], *map(len, BREAKS.split(text))])
            title += f"{text} | " if opened.type == "th_open" else ""
            at += 1
        elif opened.type == "table_close":
            found[title] = sum(word * LETTER + PADDING for word in longest)
    return found


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every page goes into, whether it becomes an artifact, a file or both."""
    found: list[str] = []
    rendered = Template.render

    def noted(self: Template, *given: Any, **named: Any) -> str:
        found.append(rendered(self, *given, **named))
        return found[-1]

    monkeypatch.setattr(Template, "render", noted)
    return found


def test_no_table_of_a_page_is_wider_than_the_page(engine: Engine, pages: list[str]) -> None:
    engine.load(*[f"A passage about topic {number}, long enough." for number in range(40)], "")
    engine.fault("says", match={"text": "topic 7,"}, text='{"concept_names":[' * 9)
    engine.run(dry_run=True)
    engine.summary(slice_size=10)
    engine.insert("00000000-0000-0000-0000-000000000001", "One more, which is long enough.")
    in_flight(engine.plan()[0])

    now = status.read()
    render("status.md", status=now, duration=duration, bar=bar)
    write(look("3.0.0 at http://127.0.0.1:4200/api", timedelta(hours=6)))
    found = [each for page in pages for each in widths(page).items()]

    assert len(found) > 20, found
    assert [each for each in found if each[1] > PAGE] == []

    screen = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    screen.print(command.view(now))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert max(map(len, shown.splitlines())) <= 100
