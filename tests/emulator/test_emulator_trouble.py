"""Everyday trouble: in field-like shares, the same every time, and healed by asking again."""

from typing import Any

import orjson
import pytest
from emulator_hand import TEXT, Hand, line, request, text_of
from emulator_hand import lines as lines_of

Json = dict[str, Any]
COUNT = 3000


def shape(output: Json) -> str:
    """Return what an output line looks like."""
    [candidate] = output["response"]["candidates"]
    if "content" not in candidate:
        return "silent"
    text = text_of(output)
    if text.startswith("```"):
        return "fenced"
    try:
        return "full" if orjson.loads(text)["concepts"] else "empty"
    except orjson.JSONDecodeError:
        return "unparseable"


@pytest.fixture
def troubled(hand: Hand) -> Hand:
    hand.switch("trouble", share=1)
    return hand


def test_trouble_comes_in_the_shares_of_the_field(troubled: Hand) -> None:
    output = troubled.output(lines_of(COUNT))

    shapes = [shape(one) for one in output]
    share = {name: shapes.count(name) / COUNT for name in set(shapes)}
    assert 0.001 <= share["unparseable"] <= 0.007
    assert 0.0003 <= share["silent"] <= 0.005
    assert 0.004 <= share["fenced"] <= 0.02
    assert 0.004 <= share["empty"] <= 0.02
    assert [one["key"] for one in output] != [f"k{i}" for i in range(COUNT)]
    assert {next(iter(one)) for one in output} == {"key", "response"}


def test_quotes_are_hurt_in_the_shares_of_the_field(troubled: Hand) -> None:
    output = troubled.output(lines_of(COUNT))

    quotes = [
        (quote, one["key"])
        for one in output
        if shape(one) == "full"
        for concept in orjson.loads(text_of(one))["concepts"]
        for quote in concept["quotes"]
    ]
    hurt = sum(quote not in f"{TEXT} ({key})" for quote, key in quotes) / len(quotes)
    assert 0.03 <= hurt <= 0.055


def test_trouble_heals_when_asked_again(troubled: Hand) -> None:
    troubled.switch("trouble", share=20)
    bad = {"silent", "unparseable"}
    first = {one["key"]: shape(one) for one in troubled.output(lines_of(400))}
    again = [line(key) for key, what in first.items() if what in bad]

    second = [shape(one) for one in troubled.output(again)]

    assert again
    assert not bad & set(second)


def test_the_same_keys_are_troubled_every_time(troubled: Hand) -> None:
    first = sorted(troubled.output(lines_of(300)), key=lambda one: one["key"])
    troubled.switch("reset")
    troubled.switch("settings", run_seconds=0)

    second = sorted(troubled.output(lines_of(300)), key=lambda one: one["key"])

    assert first == second


def test_without_a_schema_json_comes_bare_fenced_and_in_prose(troubled: Hand) -> None:
    system = 'Answer so:\n```json\n{"energy": "low|high", "reasoning": "why"}\n```\n'
    asked = [{"key": f"k{i}", "request": request(f"{TEXT} {i}")} for i in range(200)]
    for one in asked:
        one["request"] = {
            "contents": one["request"]["contents"],
            "systemInstruction": {"parts": [{"text": system}]},
            "tools": [{"googleSearch": {}}],
        }

    starts = [text_of(one)[:4] for one in troubled.output(asked) if shape_is_spoken(one)]

    assert min(starts.count(start) for start in ('{"en', "```j", "Here")) > 10


def shape_is_spoken(output: Json) -> bool:
    return "content" in output["response"]["candidates"][0]
