"""An OTLP/HTTP collector on loopback: it keeps what it is sent, or refuses it."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest

from tasks.adapters import telemetry
from tasks.adapters.settings import settings

Values = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """One span as it arrived: attributes by name, each of the type that OTLP gave it."""

    name: str
    kind: int
    status: int
    start: int
    attributes: Values
    event: Values
    """The attributes of its one event."""

    def json(self, name: str) -> Any:
        """Return an attribute that holds JSON as text."""
        return orjson.loads(self.attributes[name])


class Collector:
    """A collector that takes whatever comes to any path."""

    def __init__(self, status: int = 200, pause: float = 0.0) -> None:
        self.spans: list[Span] = []
        self.paths: set[str] = set()
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.add(self.path)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                threading.Event().wait(pause)
                if status == 200:
                    zipped = self.headers.get("Content-Encoding") == "gzip"
                    outer.spans += _spans(gzip.decompress(body) if zipped else body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


Observe = Callable[..., Collector]


@contextmanager
def observing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Observe]:
    """Yield a function that starts a collector, under a path, and lets the engine report to it."""
    started: list[Collector] = []

    def start(path: str = "", headers: str = "", **how: float) -> Collector:
        collector = Collector(**how)  # type: ignore[arg-type]
        started.append(collector)
        monkeypatch.setenv("BACKFILL_OTEL_ENDPOINT", f"{collector.url}{path}")
        if headers:
            monkeypatch.setenv("BACKFILL_OTEL_HEADERS", headers)
        settings.cache_clear()
        telemetry._tracer.cache_clear()
        return collector

    yield start
    tracer = telemetry._tracer()
    telemetry._tracer.cache_clear()
    if tracer is not None:
        tracer.span_processor.shutdown()  # type: ignore[attr-defined]
    for collector in started:
        collector.server.shutdown()
        collector.server.server_close()


def flush() -> None:
    """Return when everything has been sent, or refused."""
    telemetry._tracer().span_processor.force_flush(10_000)  # type: ignore[union-attr]


def _spans(body: bytes) -> list[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    sent = ExportTraceServiceRequest.FromString(body)
    return [
        _plain(span)
        for resource in sent.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _plain(span: Any) -> Span:
    [event] = span.events
    assert event.name == "gen_ai.evaluation.result"
    return Span(
        span.name,
        span.kind,
        span.status.code,
        span.start_time_unix_nano,
        {each.key: _value(each.value) for each in span.attributes},
        {each.key: _value(each.value) for each in event.attributes},
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)
