"""What a backfill asks of its model beside the text, and what the model would refuse of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.model_table import Model, ModelTable
from tasks.core.packing import MOST_ROWS
from tasks.core.wire import is_carried

Json = Mapping[str, Any]

_SAMPLING = ("topP", "topK", "presencePenalty", "frequencyPenalty", "candidateCount")


ROOM_TO_THINK = 4
"""A request's limit counts thoughts too: so many times what the model usually thinks."""


def output_limit(backfill: Backfill, model: Model, rows: int = 1) -> int:
    """Return the most tokens of so many answers, with what the model thinks before them."""
    said = rows * backfill.max_output_tokens
    return min(model.output_limit, said + ROOM_TO_THINK * model.thoughts)


def generation_config(backfill: Backfill, model: Model, response_schema: Json) -> dict[str, object]:
    """Return the request's generationConfig, in the forms that the model takes.

    Without a word on temperature the answers are as repeatable as the model lets them be: 0, or
    nothing where sampling is not the caller's any more.
    """
    config: dict[str, object] = {"maxOutputTokens": output_limit(backfill, model)}
    if backfill.temperature is not None or model.sampling == "allowed":
        config["temperature"] = backfill.temperature or 0.0
    config |= backfill.extra_generation_config
    if sends_schema(backfill, model):
        config["responseMimeType"] = "application/json"
        schema = dict(response_schema)
        config["responseSchema"] = schema if model.item_limits else without_item_limits(schema)
    if thinking := model.thinking_config(backfill.thinking):
        config["thinkingConfig"] = thinking
    return config


def sends_schema(backfill: Backfill, model: Model) -> bool:
    """Return whether the answer's shape is sent; beside a search not every model takes it."""
    return model.search_with_schema or not backfill.google_search


def without_item_limits(schema: Json) -> dict[str, object]:
    """Return a response schema without maxItems on lists of objects; what comes is checked here."""
    said: dict[str, object] = dict(schema)
    if isinstance(items := schema.get("items"), Mapping):
        said["items"] = without_item_limits(items)
        if items.get("type") == "OBJECT":
            said.pop("maxItems", None)
    if isinstance(fields := schema.get("properties"), Mapping):
        said["properties"] = {name: without_item_limits(field) for name, field in fields.items()}
    return said


def refusals(backfill: Backfill, table: ModelTable) -> Iterator[str]:
    """Yield what the backfill's models would refuse, or ignore, of what it asks them."""
    try:
        model = table.find(backfill.model)
        embedding = table.find(backfill.embedding.model) if backfill.embedding else None
    except PreflightError as error:
        yield str(error).rstrip(".")
        return
    if model.makes != "answers":
        yield f"model {backfill.model} makes vectors, not answers"
    if embedding and embedding.makes != "vectors":
        yield f"embedding.model {backfill.embedding and backfill.embedding.model} makes no vectors"
    if backfill.wire == "diet" and (why := against_diet(backfill, model)):
        yield f'wire is "diet", and {why}'
    yield from _packing_refusals(backfill)
    yield from _sampling_refusals(backfill, model)
    yield from _thinking_refusals(backfill, model)
    if backfill.max_output_tokens > model.output_limit:
        yield (
            f"max_output_tokens is {backfill.max_output_tokens:,}, and an answer of"
            f" {backfill.model} has {model.output_limit:,} at most"
        )


def against_diet(backfill: Backfill, model: Model) -> str:
    """Return why answers cannot travel on the diet; nothing where they can."""
    if not sends_schema(backfill, model):
        return (
            f"beside google_search {backfill.model} takes no schema that could say its names: take"
            " one of the lines away, or name a model from Gemini 3 on"
        )
    if not is_carried(backfill.answer_model):
        return (
            "a validator of the answer looks at it before it is read, and would see short names:"
            ' say wire = "plain", or let it look afterwards (mode="after")'
        )
    return ""


def _packing_refusals(backfill: Backfill) -> Iterator[str]:
    rows = backfill.rows_per_request
    if not 1 <= rows <= MOST_ROWS:
        yield f"rows_per_request is {rows}, and may be 1 to {MOST_ROWS}"
    if rows > 1 and backfill.max_attempts == 1:
        yield (
            f"rows_per_request is {rows}, and a row whose answer is not surely its own has to be"
            " asked again: max_attempts of 1 leaves no try for that"
        )
    if rows > 1 and backfill.google_search:
        yield (
            f"rows_per_request is {rows}, and what is searched for one row would speak of others"
            " too: take it or google_search away"
        )


def _sampling_refusals(backfill: Backfill, model: Model) -> Iterator[str]:
    if model.sampling == "allowed":
        return
    does = "ignores" if model.sampling == "ignored" else "refuses"
    if backfill.temperature is not None:
        yield (
            f"temperature is {backfill.temperature}, which {backfill.model} {does}: take the line"
            " away, or name a model that lets itself be told"
        )
    for name in _SAMPLING:
        if model.sampling == "refused" and name in backfill.extra_generation_config:
            yield f"{backfill.model} refuses {name}: take it out of extra_generation_config"


def _thinking_refusals(backfill: Backfill, model: Model) -> Iterator[str]:
    wanted = backfill.thinking
    if wanted in ("least", "default"):
        return
    if isinstance(wanted, int):
        if not model.budgets:
            yield _instead(backfill, model, f"thinking = {wanted}: it knows no budget")
        elif wanted == 0 and not model.budget_0:
            yield _instead(backfill, model, "thinking = 0")
    elif wanted not in model.levels:
        yield _instead(backfill, model, f'thinking = "{wanted}"')


def _instead(backfill: Backfill, model: Model, what: str) -> str:
    levels = "".join(f', "{level}"' for level in model.levels)
    return f'{backfill.model} refuses {what}; it takes "least", "default"{levels}'
