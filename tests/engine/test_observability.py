"""Generations at a real OTLP collector: all of them, after the commit, at nobody's cost."""

import logging

import pytest
from collector_hand import Observe, flush
from engine_hand import Engine, configure, forget_settings

from tasks.adapters import telemetry
from tasks.core.errors import PreflightError

SECRET = "sk-1234/abc+="
UNREADABLE = (
    SECRET,  # no name
    f"Authorization: Bearer {SECRET}",  # as HTTP writes it
    f"x-bt-parent=project_name:songs,{SECRET}",
    f"Authorization=Bearer {SECRET}\u2026",  # copied where it was shortened
    f"Authorization=Bearer%0a{SECRET}",
    "Authorization=",
)


def test_every_generation_arrives_with_request_answer_usage_and_score(
    engine: Engine, observe: Observe
) -> None:
    collector = observe()
    engine.load_samples(6)
    engine.fault("not_json", times=1)

    engine.summary()

    flush()
    assert len(collector.spans) == 7  # six, and one of them twice
    assert {span.name for span in collector.spans} == {"generate_content gemini-3.1-flash-lite"}
    [bad] = [span for span in collector.spans if span.attributes.get("error.type") == "not_json"]
    assert bad.event["gen_ai.evaluation.score.value"] == 0.0
    good = next(span for span in collector.spans if "error.type" not in span.attributes)
    assert good.attributes["gen_ai.provider.name"] == "gcp.gemini"
    assert good.attributes["gen_ai.usage.input_tokens"] > 100
    assert good.event["gen_ai.evaluation.score.value"] == 1.0
    assert "Chapter" in good.attributes["gen_ai.input.messages"]
    assert r'"{\"concepts\":[{\"name\":' in good.attributes["gen_ai.output.messages"]


@pytest.mark.parametrize("path", ["", "/", "/v1/traces", "/v1/traces/"])
def test_the_endpoint_may_be_given_with_the_path_or_without_it(
    engine: Engine, observe: Observe, path: str
) -> None:
    collector = observe(f"/otel{path}")
    engine.load_samples(1)

    engine.summary()

    flush()
    assert collector.paths == {"/otel/v1/traces"}


def test_headers_arrive_as_they_were_meant(engine: Engine, observe: Observe) -> None:
    collector = observe(
        headers=f"Authorization=Bearer {SECRET}, x-bt-parent=project_name:my%20songs%2C live,"
    )
    engine.load_samples(1)

    engine.summary()

    flush()
    [headers] = collector.headers
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["x-bt-parent"] == "project_name:my songs, live"
    assert headers["content-type"] == "application/x-protobuf"


def test_what_the_standard_variables_say_besides_the_sdk_does(
    engine: Engine, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-more=more,authorization=theirs")
    collector = observe(headers="authorization=ours")
    engine.load_samples(2)

    engine.summary()

    flush()
    [headers] = collector.headers
    assert headers["content-encoding"] == "gzip"
    assert (headers["x-more"], headers["authorization"]) == ("more", "ours")
    assert len(collector.spans) == 2


def test_a_refused_secret_stands_in_no_log(
    engine: Engine,
    observe: Observe,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    collector = observe(headers=f"Authorization=Bearer {SECRET}", status=401)
    engine.load_samples(1)

    engine.summary()

    flush()
    assert collector.headers
    assert "Failed to export spans batch code: 401" in caplog.text
    said = (caplog.text, *capfd.readouterr())
    assert not any(SECRET in each for each in said)


@pytest.mark.parametrize("headers", UNREADABLE)
def test_headers_that_cannot_be_read_stop_a_run_before_it_asks_without_showing_them(
    engine: Engine,
    observe: Observe,
    caplog: pytest.LogCaptureFixture,
    headers: str,
) -> None:
    observe(headers=headers)
    engine.load_samples(1)

    with pytest.raises(PreflightError, match="BACKFILL_OTEL_HEADERS cannot be read") as raised:
        engine.run()

    assert SECRET not in f"{raised.value}{caplog.text}"
    assert engine.jobs() == 0


def test_headers_that_are_spoiled_later_cost_the_spans_and_not_the_answers(
    engine: Engine, observe: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    collector = observe(headers=SECRET)

    assert not telemetry._tracer()

    assert "Nothing is observed: BACKFILL_OTEL_HEADERS cannot be read" in caplog.text
    assert SECRET not in caplog.text
    assert not collector.headers


def test_an_endpoint_that_is_no_web_address_is_named(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, otel_endpoint="api.braintrust.dev/otel")

    said = telemetry.problem()

    assert said is not None
    assert said.startswith("BACKFILL_OTEL_ENDPOINT is no web address: write http")
    monkeypatch.undo()
    forget_settings()


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 400}, {"pause": 3.0}])
def test_a_collector_in_trouble_neither_fails_nor_slows_a_run(
    engine: Engine, observe: Observe, how: dict[str, float]
) -> None:
    observe(**how)
    engine.load_samples(4)

    said = engine.summary()

    assert said.startswith("4 targets: 4 written")


def test_without_an_endpoint_nothing_is_kept_for_anybody(engine: Engine) -> None:
    telemetry._tracer.cache_clear()
    engine.load_samples(2)

    engine.summary()

    assert not telemetry._tracer()
