"""Generations as OpenTelemetry spans, for any collector; off unless an endpoint is set.

Spans go out from a thread of the SDK's own: a collector that is slow or gone costs spans, never a
run. What does not fit into the queue is dropped.
"""

import logging
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from tasks.adapters.settings import settings
from tasks.core.ends import End
from tasks.core.observed import Observed

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_QUEUE = 10_000  # spans
_NANOSECONDS = 1_000_000_000


def is_on() -> bool:
    """Return whether anybody observes."""
    return _tracer() is not None


def emit(generations: Iterable[Observed]) -> None:
    """Hand generations that are committed to the observer, if there is one."""
    tracer = _tracer()
    if tracer is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    for each in generations:
        at = int(each.at.timestamp() * _NANOSECONDS)
        span = tracer.start_span(
            each.name, kind=SpanKind.CLIENT, attributes=each.attributes(), start_time=at
        )
        span.add_event("gen_ai.evaluation.result", each.score(), timestamp=at)
        if each.outcome.end is End.BAD:
            span.set_status(Status(StatusCode.ERROR, each.outcome.reason))
        span.end(end_time=at)


@cache
def _tracer() -> "Tracer | None":
    endpoint = settings().otel_endpoint
    if not endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logging.getLogger(__name__).warning(
            "BACKFILL_OTEL_ENDPOINT is set, but nothing is observed: install the extra 'otel'."
        )
        return None
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider = TracerProvider(resource=Resource.create({"service.name": "gemini-batch-backfill"}))
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=_QUEUE, schedule_delay_millis=1000)
    )
    return provider.get_tracer("gemini-batch-backfill")
