"""What people look at after a run: charts, and passages with their evidence in bold."""

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from engine_hand import Engine
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters.pages import render
from tasks.adapters.settings import settings
from tasks.core.charts import PANEL_WIDTH, cost_over_time, counts, lay_out
from tasks.core.highlight import highlight, merge
from tasks.core.markdown import escape

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def test_evidence_is_bold_and_nothing_else_is() -> None:
    shown = highlight("A *hash table* maps | keys\nto values.", [(27, 29), (3, 13)])

    assert shown == r"A \***hash table**\* maps \| keys **to** values."


def test_overlapping_evidence_becomes_one_span() -> None:
    assert merge([(5, 9), (0, 3), (2, 5), (20, 20)]) == [(0, 9)]


@given(st.text(max_size=60), SPANS)
def test_highlighting_loses_no_character(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(start, min(end, len(text))) for start, end in spans if start < len(text)]

    shown = highlight(text, inside)

    plain = re.sub(r"(?<!\\)((?:\\\\)*)\*\*", r"\1", shown)
    assert re.sub(r"\s+", "", plain) == re.sub(r"\s+", "", escape(text))
    assert "\n" not in shown


def test_panels_stand_in_two_columns_and_never_overlap() -> None:
    panels = [counts(f"panel {size}", {str(n): n for n in range(size)}) for size in (9, 2, 3, 5)]

    places, height = lay_out(panels)

    assert {place.x for place in places} == {0, PANEL_WIDTH}
    for x in (0, PANEL_WIDTH):
        column = sorted((place.y, place.y + place.panel.height) for place in places if place.x == x)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(column))
        assert column[-1][1] <= height


def test_what_was_spent_only_ever_grows() -> None:
    slices = [
        {"finished_at": datetime(2026, 1, 1, hour % 24, tzinfo=UTC), "cost_usd": 0.5}
        for hour in range(40)
    ]

    panel = cost_over_time(slices)

    assert panel
    shares = [bar.share for bar in panel.bars]
    assert shares == sorted(shares)
    assert panel.bars[-1].text == "20.0000"


def test_a_label_with_markup_does_not_break_the_picture() -> None:
    places, height = lay_out([counts("a < b", {"<script>&": 1.0})])

    svg = render("charts.svg", places=places, height=height, title="<t>", subtitle='"&"')

    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own picture


@pytest.fixture
def reports(engine: Engine) -> Path:
    engine.load_samples(30)
    engine.summary(kind="pilot", limit=25)
    return settings().reports_dir


def only(reports: Path, pattern: str) -> str:
    [path] = reports.glob(pattern)
    return path.read_text(encoding="utf-8")


def test_a_run_leaves_a_picture_that_its_report_shows(reports: Path) -> None:
    svg = only(reports, "*-passage_concepts-pilot-charts.svg")
    report = only(reports, "*-passage_concepts-pilot.md")

    shown = " ".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own picture
    for title in (
        "Rows per target: targets",
        "Concept type, ours / llm_v2",
        "How quotes were found",
        "Tokens, estimated beside actual",
        "Cost over time",
    ):
        assert title in shown
    assert re.search(r"^## Cost over time, USD$(?s:.*)█", report, re.MULTILINE)
    assert "data:" not in report
    assert re.search(r"!\[Charts\]\(.*-charts\.svg\)", report)


def test_a_run_leaves_twenty_passages_with_their_evidence_in_bold(reports: Path) -> None:
    sample = only(reports, "*-passage_concepts-pilot-sample.md")

    bold = [line for line in sample.splitlines() if "**" in line and not line.startswith("  >")]
    assert len(bold) == 20
    assert len(re.findall(r"^### \d+\. [0-9a-f-]{36}$", sample, re.MULTILINE)) == 20
    found = [part.count("\n  > ") / part.count("\n* ") for part in sample.split("### ")[1:]]
    assert min(found) > 0.5, "a finding is shown without its own quotes"
    assert "Found earlier, by `llm_v2`: " in sample
