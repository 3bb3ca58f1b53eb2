"""Two versions beside each other: intervals that hold the truth, and no claim beyond them."""

import random
from collections.abc import Sequence
from itertools import product
from math import exp, lgamma, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.comparing import Kind, Pair, Side, compare, differing, verdict
from tasks.core.disagreeing import strongest
from tasks.core.intervals import difference, share

TEXT = "Entropy grows. A hash table finds what a tree would have to look for."
COUNTS = st.integers(0, 60)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(("entropy", "Entropy", "hash table", "tree", "heat")),
            "kind": st.sampled_from(("method", "model", "field")),
            "confidence": st.floats(0, 1),
            "evidence": st.sampled_from(("Entropy", "hash table", "tree")).map(
                lambda quote: {"support": [{"quote": quote}]}
            ),
        }
    ),
    max_size=5,
)
SIDES = st.one_of(
    st.builds(Side, text=st.just(TEXT), rows=ROWS),
    st.builds(Side, text=st.just(TEXT), bad=st.sampled_from(("not_json", "safety"))),
)
PAIRS = st.lists(
    st.builds(Pair, st.integers(0, 9).map(str), st.just("a name"), SIDES, SIDES), max_size=8
)
PLANTED = [(0.05, 0.63, 0.03), (0.0, 0.68, 0.08), (0.02, 0.02, 0.1), (0.0, 0.0, 0.1)]
"""Shares that fail in both versions, in the first alone, in the second alone."""


TARGETS = 50


def how_often(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return how often so many targets are of each kind."""
    ways = lgamma(TARGETS + 1) - sum(lgamma(count + 1) for count in counts)
    found = [(count, share) for count, share in zip(counts, shares, strict=True) if count]
    if not all(share for _, share in found):
        return 0.0
    return exp(ways + sum(count * log(share) for count, share in found))


@pytest.mark.parametrize("planted", PLANTED)
def test_the_interval_holds_a_planted_difference_95_times_of_100(
    planted: tuple[float, float, float],
) -> None:
    truth, shares = planted[2] - planted[1], [*planted, 1 - sum(planted)]

    def holds(counts: Sequence[int]) -> bool:
        found = difference(*counts)
        return found.low <= truth <= found.high

    up_to = [range(TARGETS + 1) if share else range(1) for share in planted]
    every = ([*three, TARGETS - sum(three)] for three in product(*up_to) if sum(three) <= TARGETS)
    weighed = ((counts, how_often(counts, shares)) for counts in every)
    missed = sum(weight for counts, weight in weighed if weight > 1e-9 and not holds(counts))
    trials = [
        random.Random(f"{planted} {n}").choices(range(4), shares, k=TARGETS) for n in range(100)
    ]

    assert missed < 0.05, "of all that may be drawn"
    assert sum(holds([trial.count(kind) for kind in range(4)]) for trial in trials) >= 95


def test_both_intervals_are_those_of_their_sources() -> None:
    assert [round(each, 4) for each in difference(36, 2, 12, 0)] == [0.2, 0.0456, 0.3498]
    assert [round(each, 4) for each in share(0, 10)] == [0.0, 0.0, 0.3085]
    assert [round(each, 4) for each in share(5, 50)] == [0.1, 0.0333, 0.2181]


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_difference_lies_in_its_interval_and_turns_with_the_versions(
    both: int, first: int, second: int, neither: int
) -> None:
    found = difference(both, first, second, neither)
    turned = difference(both, second, first, neither)

    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found == pytest.approx((-turned.value, -turned.high, -turned.low))


@given(PAIRS)
def test_what_one_gains_the_other_loses_and_the_verdict_claims_what_the_interval_allows(
    pairs: list[Pair],
) -> None:
    found = compare(pairs, "name", ["kind"])
    turned = compare([Pair(i, n, two, one) for i, n, one, two in pairs], "name", ["kind"])

    assert found.counted[Kind.GAINED] == turned.counted[Kind.LOST]
    assert found.counted[Kind.CHANGED] == turned.counted[Kind.CHANGED]
    assert {e.column: e.same for e in found.agreements} == {
        e.column: e.same for e in turned.agreements
    }
    assert [(w.word, w.first, w.both) for w in found.words] == [
        (w.word, w.second, w.both) for w in turned.words
    ]
    said = verdict("v1", "v2", found, is_random=True)
    claims = "fails more often" in said or "fails less often than" in said
    assert claims == (not found.difference.low <= 0 <= found.difference.high)
    weights = [each.weight for each in strongest(pairs, "name")]
    assert weights == sorted(weights, reverse=True)


@given(PAIRS)
def test_a_version_beside_itself_differs_in_nothing(pairs: list[Pair]) -> None:
    itself = [Pair(i, n, one, one) for i, n, one, _ in pairs]
    found = compare(itself, "name", ["kind"])

    assert not any(found.counted.values())
    assert strongest(itself, "name") == []
    assert all(each.same == 1 for each in found.agreements)
    assert found.difference.value == 0


def row(name: str, kind: str, quote: str, confidence: float = 0.5) -> dict[str, Any]:
    evidence = {"support": [{"quote": quote}]}
    return {"name": name, "kind": kind, "confidence": confidence, "evidence": evidence}


def test_rows_gained_lost_and_changed_are_told_with_the_quotes_of_both() -> None:
    first = Side(TEXT, rows=[row("entropy", "field", "Entropy"), row("tree", "model", "tree")])
    second = Side(
        TEXT,
        rows=[row("Entropy", "method", "Entropy grows", 0.9), row("hash", "model", "hash table")],
    )
    pair = Pair("7", "a *name*", first, second)

    pairs = [pair, Pair("8", "bad", first, Side(TEXT, bad="not_json"))]
    found = compare(pairs, "name", ["kind"])

    assert [(each.kind, each.key) for each in differing(pair, "name")] == [
        ("changed", "entropy"),
        ("lost", "tree"),
        ("gained", "hash"),
    ]
    worst, other = strongest(pairs, "name")
    assert worst.said == "the second is bad (not_json), the other has 2 rows"
    assert other.name == r"a \*name\*"
    assert other.said == "1 gained, 1 lost, 1 changed"
    changed, lost, gained = other.rows
    assert changed.startswith("**changed** entropy; kind: field → method; “**Entropy** grows.")
    assert "“**Entropy grows**." in changed
    assert "would have" in lost
    assert "**hash table**" in gained
    [quotes] = [each for each in found.agreements if each.column == "evidence"]
    [confidence] = [each for each in found.agreements if each.column == "confidence"]
    assert (quotes.rows, quotes.same) == (1, 0.0)
    assert confidence.apart == pytest.approx(0.4)


def test_a_verdict_names_shares_and_interval_and_says_how_targets_were_chosen() -> None:
    good, bad = Side(TEXT), Side(TEXT, bad="not_json")
    pairs = [Pair(str(n), "", bad if n < 34 else good, bad if n < 4 else good) for n in range(50)]

    found = compare(pairs, "", [])

    assert verdict("v1", "v2", found, is_random=True) == (
        "v2 fails less often than v1: 8.0% against 68.0% of 50 targets"
        " (73.1 points fewer to 42.6 points fewer, 95 %)."
    )
    assert "50 targets chosen for their doubt" in verdict("v1", "v2", found, is_random=False)
    same = compare([Pair("1", "", good, good)] * 9, "", [])
    assert verdict("v1", "v2", same, is_random=True).startswith("Which of v1 and v2 fails less")
    assert verdict("v1", "v2", compare([], "", []), is_random=True).startswith("No target")
