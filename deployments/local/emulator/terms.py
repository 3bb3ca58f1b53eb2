"""What a request's configuration means to a model: a refusal, or how much it thinks.

Read once per distinct configuration, because the lines of a job repeat theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from deployments.local.emulator import schema_faults
from deployments.local.emulator.models import KNOWN, Model, Thinking
from deployments.local.emulator.spelling import get

Config = Mapping[str, Any]
BARE = "Request contains an invalid argument."
INVALID_ARGUMENT = 3  # google.rpc.Code
THOUGHTS = {"MINIMAL": (0, 0), "LOW": (270, 980), "MEDIUM": (600, 2400), "HIGH": (1200, 6000)}
SAMPLING = {"temperature": "temperature", "topP": "top_p", "topK": "top_k"}
PENALTIES = ("presencePenalty", "frequencyPenalty")
SCHEMAS = ("responseSchema", "responseJsonSchema", "_responseJsonSchema")


@dataclass(frozen=True)
class Terms:
    """Why a model refuses a configuration, or the least and the most that it thinks."""

    refused: str | None = None
    thoughts: tuple[int, int] = (0, 0)
    off: bool = False  # thinking was switched off: nothing makes it think


@lru_cache(maxsize=1024)
def of(model_name: str, raw_config: bytes, grounded: bool) -> Terms:  # noqa: FBT001 - a cache key
    """Return what a configuration means to a model."""
    model, config = KNOWN[model_name], orjson.loads(raw_config)
    found = [check(model, config) for check in CHECKS]
    refused = next(filter(None, [*found, _search(model, config, grounded=grounded)]), None)
    if refused or model.thinking is None:
        return Terms(refused)
    level, budget = _thinking_asked(config)
    least, most = _thoughts(model.thinking, level, budget)
    return Terms(None, (least, most), off=most == 0 and (bool(level) or budget is not None))


def status(message: str) -> dict[str, Any]:
    """Return a refusal as a line has it: a google.rpc.Status with a number and no word."""
    return {"code": INVALID_ARGUMENT, "message": message}


def too_long(model: Model, count: int) -> str | None:
    """Return the refusal of a prompt of so many tokens, if it is too long for a model."""
    if count <= model.input_limit:
        return None
    return (
        f"The input token count ({count}) exceeds the maximum number of tokens allowed "
        f"({model.input_limit})."
    )


def _thinking_asked(config: Config) -> tuple[str, int | None]:
    asked = get(config, "thinkingConfig") or {}
    level, budget = get(asked, "thinkingLevel"), get(asked, "thinkingBudget")
    named = str(level or "").upper().replace("THINKING_LEVEL_UNSPECIFIED", "")
    return named, None if budget is None else int(budget)


def _thoughts(thinking: Thinking, level: str, budget: int | None) -> tuple[int, int]:
    if budget is not None and budget > 0:
        return min(THOUGHTS["LOW"][0], budget), min(THOUGHTS["LOW"][1], budget)
    name = level or ("MINIMAL" if budget == 0 else thinking.usual)
    sure_to_think = thinking.zero == "ignored" or budget == -1
    return THOUGHTS["LOW" if sure_to_think and name == "MINIMAL" else name]


def _thinking(model: Model, config: Config) -> str | None:
    level, budget = _thinking_asked(config)
    thinking = model.thinking or Thinking()
    if level and budget is not None:
        return "You can only set only one of thinking budget and thinking level."
    if level and not thinking.levels:
        return "Thinking level is not supported for this model."
    if level and level not in thinking.levels:
        return f"Thinking level {level} is not supported for this model"
    if budget is not None and not thinking.budgets:
        return "Thinking budget is not supported for this model. Please use thinking level."
    return BARE if budget == 0 and thinking.zero == "refused" else None


def _sampling(model: Model, config: Config) -> str | None:
    given = [name for field, name in SAMPLING.items() if get(config, field) is not None]
    if model.sampling != "refused" or not given:
        return None
    return f"{', '.join(given)} is not supported for this model."


def _variants(model: Model, config: Config) -> str | None:
    if model.variants:
        return None
    if any(get(config, name) is not None for name in PENALTIES):
        return f"Penalty is not enabled for models/{model.name}"
    several = int(get(config, "candidateCount") or 1) > 1
    return "Multiple candidates is not enabled for this model" if several else None


def _output(model: Model, config: Config) -> str | None:
    most = int(get(config, "maxOutputTokens") or 0)
    if most <= model.output_limit:
        return None
    return f"max_output_tokens is {most}; this model gives at most {model.output_limit}."


def _schema(model: Model, config: Config) -> str | None:
    given = [get(config, name) for name in SCHEMAS if get(config, name)]
    if len(given) > 1:
        return "only one of response_schema and response_json_schema may be set"
    if not model.lists_of_objects and any(map(schema_faults.limits_objects, given)):
        return BARE
    faults = schema_faults.of(get(config, "responseSchema") or {})
    return "\n".join(f"* {fault}" for fault in faults) or None


def _search(model: Model, config: Config, *, grounded: bool) -> str | None:
    shaped = get(config, "responseMimeType") == "application/json" or any(
        get(config, name) for name in SCHEMAS
    )
    if not grounded or not shaped or model.search_with_schema:
        return None
    return "Tool use with a response mime type: 'application/json' is unsupported"


CHECKS: tuple[Callable[[Model, Config], str | None], ...] = (
    _thinking,
    _sampling,
    _variants,
    _output,
    _schema,
)
