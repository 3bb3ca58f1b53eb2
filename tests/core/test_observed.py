"""What an observer is told of one generation, without any observer."""

import pickle
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from tasks.core.ends import End, Outcome
from tasks.core.observed import Observed
from tasks.core.responses import Response, Usage

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SONG = UUID(int=7)


def _observed(
    columns: dict[str, str] | None = None, end: End = End.WRITTEN, instructions: str = "Be brief."
) -> Observed:
    return Observed(
        backfill="songs",
        extractor_version="v1",
        model="a-model",
        transport="batch",
        instructions=instructions,
        asked="Nina Simone - Feeling Good",
        columns=columns or {},
        response=Response(str(SONG), "{}", "STOP", usage=Usage(20, 5, 3, 10)),
        outcome=Outcome(SONG, end, input_tokens=20, output_tokens=8),
        records=1,
        at=NOW,
    )


def _json(one: Observed, name: str) -> object:
    return orjson.loads(str(one.attributes()[name]))


def test_the_input_is_the_templates_columns_in_their_order() -> None:
    columns = {"artist": "Nina Simone", "title": "Feeling Good"}

    said = _observed(columns).attributes()["braintrust.input_json"]

    assert said == '{"artist":"Nina Simone","title":"Feeling Good"}'


def test_without_columns_the_input_is_the_text() -> None:
    assert _json(_observed(), "braintrust.input_json") == {"text": "Nina Simone - Feeling Good"}


@pytest.mark.parametrize(
    ("end", "status", "usable"),
    [
        (End.WRITTEN, "SUCCESS", 1.0),
        (End.EMPTY, "SUCCESS", 1.0),
        (End.BAD, "ERROR", 0.0),
        (End.SKIPPED, "INVALID_INPUT", 0.0),
    ],
)
def test_every_end_has_a_status_and_a_score(end: End, status: str, usable: float) -> None:
    one = _observed(end=end)

    metadata = _json(one, "braintrust.metadata")

    assert isinstance(metadata, dict)
    assert (metadata["status"], metadata["end"]) == (status, end.value)
    assert _json(one, "braintrust.scores") == {"usable": usable}


def test_cached_and_reasoning_tokens_are_parts_of_the_two_sums() -> None:
    said = _observed().attributes()

    assert said["gen_ai.usage.input_tokens"] == 20
    assert said["gen_ai.usage.cache_read.input_tokens"] == 10
    assert said["gen_ai.usage.output_tokens"] == 8
    assert said["gen_ai.usage.reasoning.output_tokens"] == 3


def test_five_thousand_rows_share_one_prompt() -> None:
    prompt = "Say what it is. " * 300
    rows = [_observed(instructions=prompt) for _ in range(5000)]

    sent = pickle.loads(pickle.dumps(rows))  # noqa: S301 - our own, as from a process of ours

    encoded = {id(each.attributes()["gen_ai.system_instructions"]) for each in sent}
    assert len(encoded) == 1
    assert len({id(each.instructions) for each in sent}) == 1
