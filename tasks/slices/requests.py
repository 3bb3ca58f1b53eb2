"""A backfill's request template: prompt, schema and model settings brought together."""

from functools import cache, lru_cache
from typing import Any

from tasks import backfills
from tasks.adapters import site
from tasks.adapters.reference import models
from tasks.adapters.settings import settings
from tasks.core.asking import generation_config
from tasks.core.backfill import Backfill, Embedding
from tasks.core.embeddings import readable
from tasks.core.models import Question
from tasks.core.requests import EmbeddingForm, EmbeddingTemplate, RequestTemplate, response_schema
from tasks.core.slicing import BYTES_PER_TOKEN


@lru_cache(maxsize=64)
def template_of(backfill: Backfill) -> RequestTemplate:
    """Return the template of every request of a backfill."""
    schema = response_schema(backfill.travelling_model)
    config = generation_config(backfill, models().find(backfill.model), schema)
    return RequestTemplate(site.prompt(backfill), config, backfill.tools)


def embedding_template(spec: Embedding) -> EmbeddingTemplate:
    """Return the template of every request for a vector."""
    return _embedding_template(spec, settings().embedding_form)


@cache
def _embedding_template(spec: Embedding, form: EmbeddingForm) -> EmbeddingTemplate:
    return EmbeddingTemplate(spec.dimensions, spec.task_type, form)


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


def request_bytes(backfill: Backfill) -> int:
    """Return the bytes of one request line without its text."""
    return len(template_of(backfill).line("0" * 36, "x")) - 1


def billed_tokens(backfill: Backfill, text_bytes: float) -> float:
    """Return about how many input tokens a text costs: the service counts prompt and text alone."""
    return (len(site.prompt(backfill).encode()) + text_bytes) / BYTES_PER_TOKEN


def version_digest(name: str) -> str:
    """Return what the backfill's extractor version means at this moment, on this site."""
    return question_digest(backfills.get(name))


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
