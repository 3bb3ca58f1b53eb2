"""Generations at a real OTLP collector: all of them, after the commit, at nobody's cost."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from engine_hand import Engine

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tasks.adapters import telemetry
from tasks.adapters.settings import settings

Span = dict[str, object]


class Collector:
    """A collector on loopback that keeps what it is sent, or refuses it."""

    def __init__(self, status: int = 200, pause: float = 0.0) -> None:
        self.spans: list[Span] = []
        self.calls = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls += 1
                threading.Event().wait(pause)
                if status == 200:
                    outer.take(self.path, body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_plain(span) for span in scope.spans]


def _plain(span: object) -> Span:
    named = {each.key: each.value for each in span.attributes}
    known = {key: getattr(value, str(value.WhichOneof("value"))) for key, value in named.items()}
    scores = {
        each.key: getattr(each.value, str(each.value.WhichOneof("value")))
        for event in span.events
        for each in event.attributes
    }
    return {"name": span.name, **known, **scores}


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Return a function that starts a collector and lets the engine report to it."""
    started: list[Collector] = []

    def start(**how: float) -> Collector:
        collector = Collector(**how)
        started.append(collector)
        monkeypatch.setenv("BACKFILL_OTEL_ENDPOINT", collector.url)
        settings.cache_clear()
        telemetry._tracer.cache_clear()
        return collector

    yield start
    tracer = telemetry._tracer()
    telemetry._tracer.cache_clear()
    if tracer is not None:
        tracer.span_processor.shutdown()
    for collector in started:
        collector.server.shutdown()
        collector.server.server_close()


def _flush() -> None:
    telemetry._tracer().span_processor.force_flush(10_000)


def test_every_generation_arrives_with_request_answer_usage_and_score(
    engine: Engine, observe: type[Collector]
) -> None:
    collector = observe()
    engine.load_samples(6)
    engine.fault("not_json", times=1)

    engine.summary()

    _flush()
    assert len(collector.spans) == 7  # six, and one of them twice
    assert {span["name"] for span in collector.spans} == {"generate_content gemini-2.5-flash-lite"}
    bad = [span for span in collector.spans if span.get("error.type") == "not_json"]
    assert [span["gen_ai.evaluation.score.value"] for span in bad] == [0.0]
    good = next(span for span in collector.spans if "error.type" not in span)
    assert good["gen_ai.provider.name"] == "gcp.gemini"
    assert good["gen_ai.usage.input_tokens"] > 100
    assert good["gen_ai.evaluation.score.value"] == 1.0
    assert "Chapter" in str(good["gen_ai.input.messages"])
    assert "concepts" in str(good["gen_ai.output.messages"])


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 400}, {"pause": 3.0}])
def test_a_collector_in_trouble_neither_fails_nor_slows_a_run(
    engine: Engine, observe: type[Collector], how: dict[str, float]
) -> None:
    observe(**how)
    engine.load_samples(4)

    said = engine.summary()

    assert said.startswith("4 targets: 4 written")


def test_without_an_endpoint_nothing_is_kept_for_anybody(engine: Engine) -> None:
    telemetry._tracer.cache_clear()
    engine.load_samples(2)

    engine.summary()

    assert not telemetry.is_on()
