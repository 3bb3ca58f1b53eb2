"""A backfill's request template: prompt, schema and model settings brought together."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import site
from tasks.adapters.postgres import Connection
from tasks.adapters.reference import models
from tasks.adapters.settings import settings
from tasks.core import packing
from tasks.core.asking import generation_config, output_limit
from tasks.core.backfill import Backfill, Embedding, Target
from tasks.core.embeddings import readable
from tasks.core.models import Question, Slice
from tasks.core.money import Transport
from tasks.core.requests import (
    EmbeddingForm,
    EmbeddingTemplate,
    RequestTemplate,
    UnsendableTextError,
    require_sendable,
    response_schema,
)
from tasks.core.slicing import BYTES_PER_TOKEN

Skips = list[tuple[UUID, str]]
"""Targets that cannot be asked, and why."""


@lru_cache(maxsize=64)
def template_of(backfill: Backfill) -> RequestTemplate:
    """Return the template of every request of a backfill."""
    schema = response_schema(backfill.travelling_model)
    config = generation_config(backfill, models().find(backfill.model), schema)
    return RequestTemplate(site.prompt(backfill), config, backfill.tools)


@lru_cache(maxsize=64)
def _together_of(backfill: Backfill) -> RequestTemplate:
    """Return the template of requests of several rows: without a search, which is of one."""
    schema = packing.schema_of(response_schema(backfill.travelling_model))
    config = generation_config(backfill, models().find(backfill.model), schema)
    return RequestTemplate(f"{site.prompt(backfill)}\n\n{packing.INSTRUCTION}", config)


def embedding_template(spec: Embedding) -> EmbeddingTemplate:
    """Return the template of every request for a vector."""
    return _embedding_template(spec, settings().embedding_form)


@cache
def _embedding_template(spec: Embedding, form: EmbeddingForm) -> EmbeddingTemplate:
    return EmbeddingTemplate(spec.dimensions, spec.task_type, form)


def lines_of(
    backfill: Backfill,
    the_slice: Slice,
    present: Sequence[Target],
    skips: Skips,
    temperature: float | None,
) -> tuple[Iterator[bytes], bytes]:
    """Return the lines of a slice's request file, and what all of them end with.

    What cannot be asked is added to `skips`.
    """
    if the_slice.rows_per_request > 1 and the_slice.question == "answer":
        return _lines_of_several(backfill, the_slice, present, skips, temperature), b""
    end = tail(backfill, the_slice.question, the_slice.max_output_tokens, temperature)
    return _lines(backfill, the_slice, present, skips, temperature), end


def _lines(
    backfill: Backfill,
    the_slice: Slice,
    present: Sequence[Target],
    skips: Skips,
    temperature: float | None,
) -> Iterator[bytes]:
    for target in present:
        try:
            yield _alone(backfill, the_slice, str(target.doc_id), target.text, temperature)
        except UnsendableTextError as error:
            skips.append((target.doc_id, error.skip_reason))


def _lines_of_several(
    backfill: Backfill,
    the_slice: Slice,
    present: Sequence[Target],
    skips: Skips,
    temperature: float | None,
) -> Iterator[bytes]:
    texts: dict[str, str] = {}
    for target in present:
        try:
            require_sendable(target.text)
            texts[str(target.doc_id)] = target.text
        except UnsendableTextError as error:
            skips.append((target.doc_id, error.skip_reason))
    alone = 0
    for keys in packing.groups(the_slice.slice_id, texts, the_slice.rows_per_request):
        if len(keys) == 1:
            alone += 1
            yield _alone(backfill, the_slice, keys[0], texts[keys[0]], temperature)
            continue
        limit = output_limit(backfill, models().find(backfill.model), len(keys))
        parts = packing.shown(keys, texts)
        yield _together_of(backfill).line(packing.key_of(keys), parts, limit, temperature)
    if alone > 1:
        said = "%d of %d rows go alone: they are long, or begin like too many others."
        get_run_logger().info(said, alone, len(texts))


def _alone(
    backfill: Backfill, the_slice: Slice, key: str, text: str, temperature: float | None
) -> bytes:
    limit = the_slice.max_output_tokens
    return line(backfill, the_slice.question, key, text, limit, temperature)


def line(  # noqa: PLR0913, PLR0917 - what is asked, and how
    backfill: Backfill,
    question: Question,
    key: str,
    text: str,
    limit: int | None,
    temperature: float | None = None,
) -> bytes:
    """Return one line of a request file; raise UnsendableTextError as the templates do."""
    spec = backfill.embedding
    if question == "embedding" and spec:
        return embedding_template(spec).line(
            key, readable(spec, text, models().find(spec.model).input_limit)
        )
    return template_of(backfill).line(key, text, limit, temperature)


def tail(
    backfill: Backfill, question: Question, limit: int | None, temperature: float | None = None
) -> bytes:
    """Return what every such line of a request file ends with."""
    spec = backfill.embedding
    if question == "embedding" and spec:
        return embedding_template(spec).tail()
    return template_of(backfill).tail(limit, temperature)


def request_bytes(backfill: Backfill, rows: int = 1) -> int:
    """Return the bytes of a row's share of a request line of so many rows, without its text."""
    if rows == 1:
        return len(template_of(backfill).line("0" * 36, "x")) - 1
    keys = [str(UUID(int=number)) for number in range(rows)]
    parts = packing.shown(keys, dict.fromkeys(keys, ""))
    return len(_together_of(backfill).line(packing.key_of(keys), parts)) // rows


def billed_tokens(backfill: Backfill, text_bytes: float, rows: int = 1) -> float:
    """Return about how many input tokens a text costs of so many that travel in one request.

    The service counts prompt and texts alone.
    """
    return (prompt_bytes(backfill, rows) + text_bytes) / BYTES_PER_TOKEN


def rows_in(backfill: Backfill, transport: Transport) -> int:
    """Return how many rows a request asks about: at once each is asked alone."""
    return backfill.rows_per_request if transport == "batch" else 1


def prompt_bytes(backfill: Backfill, rows: int) -> float:
    """Return the bytes of a row's share of what is said beside its text."""
    prompt = len(site.prompt(backfill).encode())
    if rows == 1:
        return prompt
    return (prompt + len(packing.INSTRUCTION) + 2) / rows + packing.HEADING


def version_digest(connection: Connection, name: str) -> str:
    """Return what the backfill's extractor version means at this moment, on this site."""
    return question_digest(backfills.asked(connection, name))


def question_digest(backfill: Backfill) -> str:
    """Return what is asked, as one number: models, prompt, schema and the text's template."""
    spec = backfill.embedding
    second = [embedding_template(spec).digest] if spec else []
    return backfill.digest(template_of(backfill).digest, *second)


def meaning(backfill: Backfill) -> dict[str, object]:
    """Return in full what the digest is of, for whoever wants to know later what was asked."""
    spec, question = backfill.embedding, template_of(backfill).question
    config: Any = question.pop("generationConfig")
    said: dict[str, object] = {"wire": dict(backfill.names)} if backfill.names else {}
    return said | {
        "models": backfill.models,
        "prompt": site.prompt(backfill),
        "schema": config.pop("responseSchema", None),
        "config": config,
        "tools": question.get("tools", []),
        "safety": question["safetySettings"],
        "options": backfill.options.model_dump(mode="json"),
        "text": backfill.source.text,
        "embedding": embedding_template(spec).question if spec else None,
    }
