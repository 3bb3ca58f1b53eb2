"""Generations as OpenTelemetry spans, for any collector; off unless an endpoint is set.

Spans go out from a thread of the SDK's own: a collector that is slow or gone costs spans, never a
run. What does not fit into the queue is dropped.
"""

import logging
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tasks.adapters.settings import settings, web_address
from tasks.core.ends import End
from tasks.core.errors import SettingsError
from tasks.core.observed import Observed

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_QUEUE = 10_000  # spans
# Each span repeats the prompt and holds text and answer twice; collectors cap a request's bytes.
_SPANS_PER_REQUEST = 100
_NANOSECONDS = 1_000_000_000
_PATH = "/v1/traces"
_SAID_PATH = re.compile(r"(url: |POST )\S+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


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


def problem() -> str | None:
    """Return one sentence on what is wrong with the observer's settings, without their values."""
    endpoint = settings().otel_endpoint
    if not endpoint:
        return None
    try:
        _traces_url(endpoint)
        _headers()
    except SettingsError as error:
        return str(error)
    return None


@cache
def _tracer() -> "Tracer | None":
    endpoint = settings().otel_endpoint
    if not endpoint:
        return None
    # Preflight says it before a run; an answer that is paid for is not lost over it.
    if said := problem():
        logging.getLogger(__name__).warning("Nothing is observed: %s", said)
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
    for name in (OTLPSpanExporter.__module__, "urllib3.connectionpool"):
        logging.getLogger(name).addFilter(_without_path)
    exporter = OTLPSpanExporter(_traces_url(endpoint), headers=_headers(), timeout=5)
    provider = TracerProvider(resource=Resource.create({"service.name": "gemini-batch-backfill"}))
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=_QUEUE,
            max_export_batch_size=_SPANS_PER_REQUEST,
            schedule_delay_millis=1000,
        )
    )
    return provider.get_tracer("gemini-batch-backfill")


def _without_path(record: logging.LogRecord) -> bool:
    """Take the collector's path out of what is logged of it: some products put a secret there."""
    record.msg, record.args = _SAID_PATH.sub(r"\1…", record.getMessage()), ()
    return True


def _traces_url(endpoint: str) -> str:
    """Return where spans go; products give the address with the path or without it."""
    try:
        web_address(endpoint)
    except ValueError as error:
        raise SettingsError(f"BACKFILL_OTEL_ENDPOINT {error}, with or without {_PATH}.") from None
    return endpoint.rstrip("/").removesuffix(_PATH) + _PATH


def _headers() -> dict[str, str]:
    """Return the headers of BACKFILL_OTEL_HEADERS, written as in OTEL_EXPORTER_OTLP_HEADERS."""
    secret = settings().otel_headers
    parts = secret.get_secret_value().split(",") if secret else []
    return dict(_header(number, part) for number, part in enumerate(parts, 1) if part.strip())


def _header(number: int, part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    name, value = name.strip(), unquote(value).strip()
    if not (_HEADER_NAME.fullmatch(name) and value and value.isascii() and value.isprintable()):
        raise SettingsError(
            f"BACKFILL_OTEL_HEADERS cannot be read at header {number}: write name=value,name=value"
            " in printable ASCII, with %2C for a comma inside a value."
        )
    return name, value
