"""Embeddings: what is asked for in either form, texts cut at the limit, and vectors."""

from collections.abc import Mapping
from random import Random
from typing import Any

from deployments.local.emulator import terms, tokens
from deployments.local.emulator.asked import texts
from deployments.local.emulator.models import Model
from deployments.local.emulator.spelling import get

Json = dict[str, Any]
OLD_FIELDS = ("taskType", "title", "outputDimensionality")
FULL = 3072


class RefusedError(Exception):
    """What a model cannot take: code 3 of a line, 400 of a call."""


def response(request: Mapping[str, Any], model: Model) -> Json:
    """Return the answer to one embed request, with the token count of batch output lines."""
    config = _config(request)
    text, count = texts(request.get("content")), tokens.of_contents(request.get("content"))
    if refused := terms.too_long(model, count):
        if get(config, "autoTruncate") is False:
            raise RefusedError(refused)
        text, count = tokens.cut(text, model.input_limit), model.input_limit
    values = vector(text, int(get(config, "outputDimensionality") or FULL), model)
    return {"tokenCount": str(count), "embedding": {"values": values}}


def _config(request: Mapping[str, Any]) -> Mapping[str, Any]:
    config: Mapping[str, Any] | None = get(request, "embedContentConfig")
    if config is None:
        return request
    both = next((name for name in OLD_FIELDS if get(request, name) is not None), None)
    if both:
        raise RefusedError(f"embed_content_config and {both} may not both be set.")
    return config


def vector(text: str, dimensions: int, model: Model) -> list[float]:
    """Return a vector that depends on the text alone.

    Shortened vectors of gemini-embedding-001 are not of unit length, as in the service.
    """
    chance = Random(f"{model.name}:{text}").random  # noqa: S311 - plausible, not secret
    values = [chance() - 0.5 for _ in range(dimensions)]
    norm = sum(value * value for value in values) ** 0.5
    length = 1.0 if model.unit_length or dimensions == FULL else (dimensions / FULL) ** 0.5
    return [round(value * length / norm, 8) for value in values]
