"""How benches keep their results, and what that of dollars holds ours against."""

import pytest

from bench.__main__ import Part, merged
from bench.dollars import runs_in_trouble, words
from bench.table import Row, render


def test_the_least_is_what_an_answer_said_and_nothing_that_was_made_of_it() -> None:
    support = [{"quote": "two words", "start": 4, "end": 13, "match": "exact"}]
    stored = ["a name", 0.85, ["x", "y"], {"support": support, "quality": 1}, None, {"key": "z"}]

    assert list(words(stored)) == ["a name", "0.85", "x", "y", "two words", "z"]


def test_others_pay_whole_runs_or_a_whole_job_for_what_was_lost() -> None:
    many, few = runs_in_trouble(500_000), runs_in_trouble(116)

    assert many == {"curator": pytest.approx(1.04), "chatlas": 3, "a script": 3}
    assert few["curator"] == pytest.approx(2.03)


def test_a_bench_that_is_run_again_renews_its_own_rows_and_section_alone() -> None:
    before = render(
        [Row(1, "a plan", "5 us"), Row(16, "a diet", "9", "10", "0.9", "<= 0.7", is_met=False)]
    )
    sections = "\n\n## planning, 2 s\n\n```text\n| 7 | no row |\n```\n\n## diet, 1 s\n\nas it was\n"
    part = Part("planning", "now", 0.0, 3.0, 0, "anew", [Row(1, "a plan", "4 us", is_met=True)])

    rows, shown = merged(f"# Measured\n\n{before}{sections}", [part])

    assert [row.cells for row in rows] == [
        ("16", "a diet", "9", "10", "0.9", "<= 0.7", "NO"),
        ("1", "a plan", "4 us", "", "", "", "yes"),
    ]
    assert ["anew" in shown[0], shown[1]] == [True, "## diet, 1 s\n\nas it was\n"]
