"""A backfill's request template: prompt, schema and model settings brought together."""

from functools import cache

from tasks import backfills
from tasks.adapters import prompts
from tasks.core.requests import RequestTemplate
from tasks.core.schemas import response_schema


@cache
def template(name: str) -> RequestTemplate:
    """Return the template of every request of a backfill."""
    backfill = backfills.get(name)
    return RequestTemplate(
        prompts.load(name),
        backfill.generation_config(response_schema(backfill.answer)),
        backfill.tools,
    )


@cache
def request_bytes(name: str) -> int:
    """Return the bytes of one request line without its text."""
    return len(template(name).line("0" * 36, "x")) - 1


@cache
def version_digest(name: str) -> str:
    """Return what the backfill's extractor version means at this moment."""
    return backfills.get(name).digest(template(name).digest)
