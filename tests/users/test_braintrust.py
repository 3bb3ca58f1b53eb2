"""The songs' world at an observer: every attribute by its name and type, as Braintrust reads it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from collector_hand import Observe, Span, flush
from engine_hand import Engine
from songs_hand import read_csv, sample, write_csv

import tasks.slices.requests
from tasks import backfills
from tasks.adapters import site
from tasks.backfills.songs import BACKFILL

NAME = BACKFILL.name
KEY = "sk-not-a-key"
HEADERS = f"Authorization=Bearer {KEY},x-bt-parent=project_name:songs"
CLIENT, ERROR = 3, 2  # OTLP's numbers

ALWAYS = {
    "gen_ai.operation.name": str,
    "gen_ai.provider.name": str,
    "gen_ai.output.type": str,
    "gen_ai.request.model": str,
    "gen_ai.system_instructions": str,
    "gen_ai.input.messages": str,
    "gen_ai.output.messages": str,
    "gen_ai.response.finish_reasons": list,
    "gen_ai.response.model": str,
    "gen_ai.usage.input_tokens": int,
    "gen_ai.usage.output_tokens": int,
    "gen_ai.usage.cache_read.input_tokens": int,
    "gen_ai.usage.reasoning.output_tokens": int,
    "backfill.name": str,
    "backfill.extractor_version": str,
    "backfill.transport": str,
    "backfill.doc_id": str,
    "backfill.end": str,
    "backfill.records": int,
    "braintrust.span_attributes": str,
    "braintrust.input_json": str,
    "braintrust.output": str,
    "braintrust.metadata": str,
    "braintrust.metrics": str,
    "braintrust.scores": str,
}
WHEN_BAD = {**ALWAYS, "error.type": str}
EVENT = {
    "gen_ai.evaluation.name": str,
    "gen_ai.evaluation.score.value": float,
    "gen_ai.evaluation.score.label": str,
    "gen_ai.evaluation.explanation": str,
}


@pytest.fixture
def thinking(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine whose model thinks, and finds half of the prompt in its cache."""
    backfill = replace(BACKFILL, thinking=128, extractor_version="gemini_thinking_v1")
    monkeypatch.setattr(backfills, "get", lambda _: backfill)
    monkeypatch.setattr(tasks.slices.requests, "version_digest", lambda *_: "a digest")
    engine.fault("thoughts")
    engine.fault("cached")
    return engine


def _spans(engine: Engine, observe: Observe, place: Path, count: int) -> list[Span]:
    collector = observe("/otel", headers=HEADERS)
    path = write_csv(place / "songs.csv", sample(count))
    engine.run(name=NAME, csv_in=str(path), csv_out=str(place / "out.csv"))
    flush()
    assert {each["authorization"] for each in collector.headers} == {f"Bearer {KEY}"}
    assert {each["x-bt-parent"] for each in collector.headers} == {"project_name:songs"}
    assert all(span.kind == CLIENT for span in collector.spans)
    return collector.spans


def _types(values: dict[str, object]) -> dict[str, type]:
    return {name: type(value) for name, value in values.items()}


def test_a_good_answer_has_every_attribute_by_name_and_type(
    thinking: Engine, observe: Observe, tmp_path: Path
) -> None:
    [span] = _spans(thinking, observe, tmp_path, 1)

    assert _types(span.attributes) == ALWAYS
    assert _types(span.event) == EVENT
    said = span.attributes
    [instruction] = span.json("gen_ai.system_instructions")
    assert instruction == {"type": "text", "content": site.prompt(BACKFILL)}
    assert said["gen_ai.response.finish_reasons"] == ["STOP"]
    tokens_in, tokens_out = said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]
    assert said["gen_ai.usage.cache_read.input_tokens"] == tokens_in // 2
    assert 0 < said["gen_ai.usage.reasoning.output_tokens"] < tokens_out


def test_braintrust_gets_columns_answer_status_and_counts(
    thinking: Engine, observe: Observe, tmp_path: Path
) -> None:
    [span] = _spans(thinking, observe, tmp_path, 1)

    [generation] = thinking.generations()
    [asked] = span.json("gen_ai.input.messages")
    told = span.json("braintrust.input_json")
    assert set(told) == {"artist", "title"}
    assert asked["parts"][0]["content"] == f"{told['artist']} - {told['title']}"
    [answered] = span.json("gen_ai.output.messages")
    assert span.attributes["braintrust.output"] == answered["parts"][0]["content"]
    answer = json.loads(answered["parts"][0]["content"])
    assert span.json("braintrust.metadata") == {
        "status": "HUMAN_REVIEW" if answer["doubtful"] else "SUCCESS",
        "end": "written",
        "records": 1,
        "model": BACKFILL.model,
        "backfill": NAME,
        "extractor_version": "gemini_thinking_v1",
        "transport": "interactive",  # the first row of all is the canary
        "doc_id": str(generation["doc_id"]),
    }
    assert span.json("braintrust.scores") == {"usable": 1.0}
    assert span.json("braintrust.span_attributes") == {"type": "llm"}
    said = span.attributes
    assert span.json("braintrust.metrics") == {
        "prompt_tokens": said["gen_ai.usage.input_tokens"],
        "prompt_cached_tokens": said["gen_ai.usage.cache_read.input_tokens"],
        "completion_tokens": said["gen_ai.usage.output_tokens"],
        "completion_reasoning_tokens": said["gen_ai.usage.reasoning.output_tokens"],
        "tokens": said["gen_ai.usage.input_tokens"] + said["gen_ai.usage.output_tokens"],
    }


def test_a_bad_answer_says_why_and_scores_nothing(
    engine: Engine, observe: Observe, tmp_path: Path
) -> None:
    engine.fault("wrong_types", times=1)

    spans = _spans(engine, observe, tmp_path, 2)

    assert len(spans) == 3  # two songs, and one of them asked again
    [bad] = [span for span in spans if span.status == ERROR]
    assert _types(bad.attributes) == WHEN_BAD
    assert _types(bad.event) == EVENT
    assert bad.attributes["error.type"] == "wrong_shape"
    metadata = bad.json("braintrust.metadata")
    assert (metadata["status"], metadata["reason"]) == ("ERROR", "wrong_shape")
    assert (metadata["end"], metadata["records"]) == ("bad", 0)
    assert bad.json("braintrust.scores") == {"usable": 0.0}
    assert bad.event["gen_ai.evaluation.explanation"]


def test_an_answer_without_text_leaves_out_what_it_lacks(
    engine: Engine, observe: Observe, tmp_path: Path
) -> None:
    engine.fault("safety", times=1)

    spans = _spans(engine, observe, tmp_path, 1)

    blocked = spans[0]
    lacking = {"gen_ai.output.messages", "braintrust.output"}
    assert set(WHEN_BAD) - set(blocked.attributes) == lacking
    assert blocked.attributes["gen_ai.response.finish_reasons"] == ["SAFETY"]


def test_an_answer_that_doubts_itself_is_one_for_a_person(
    engine: Engine, observe: Observe, tmp_path: Path
) -> None:
    spans = _spans(engine, observe, tmp_path, 20)

    said = {}
    for span in spans:
        told, answer = (
            span.json("braintrust.input_json"),
            json.loads(span.attributes["braintrust.output"]),
        )
        status = span.json("braintrust.metadata")["status"]
        assert status == ("HUMAN_REVIEW" if answer["doubtful"] else "SUCCESS")
        said[told["artist"], told["title"]] = status
    assert set(said.values()) == {"HUMAN_REVIEW", "SUCCESS"}
    _, rows = read_csv(tmp_path / "out.csv")
    assert {(row[1], row[0]): row[8] for row in rows} == said
