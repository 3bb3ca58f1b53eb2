"""Requests and tokens per minute, as Prefect's global limits: every worker takes its turn there."""

import math
from contextlib import suppress

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)
from prefect.concurrency.asyncio import rate_limit
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from tasks.adapters.settings import settings

_MINUTE = 60


async def set_up(model: str) -> None:
    """Let Prefect know this model's limits; people see and change them under Concurrency."""
    requests, tokens = settings().pace
    await _keep(_requests(model), requests, at_once=requests / _MINUTE)
    # A whole minute's tokens at once: a single long text must fit.
    await _keep(_tokens(model), tokens, at_once=tokens)


async def turn(model: str, tokens: int) -> None:
    """Return when this request may be sent."""
    await rate_limit(_requests(model))
    await rate_limit(_tokens(model), occupy=min(max(1, tokens), settings().pace[1]))


def _requests(model: str) -> str:
    return f"{model}-requests-per-minute"


def _tokens(model: str) -> str:
    return f"{model}-tokens-per-minute"


async def _keep(name: str, per_minute: int, *, at_once: float) -> None:
    limit, decay = max(1, math.ceil(at_once)), per_minute / _MINUTE
    async with get_client() as client:
        try:
            known = await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            wanted = GlobalConcurrencyLimitCreate(
                name=name, limit=limit, slot_decay_per_second=decay
            )
            await _create(client, wanted)
            return
        if (known.limit, known.slot_decay_per_second) != (limit, decay):
            update = GlobalConcurrencyLimitUpdate(limit=limit, slot_decay_per_second=decay)
            await client.update_global_concurrency_limit(name, update)


async def _create(client: PrefectClient, wanted: GlobalConcurrencyLimitCreate) -> None:
    # Another process may have been quicker, with the same settings.
    with suppress(ObjectAlreadyExists):
        await client.create_global_concurrency_limit(wanted)
