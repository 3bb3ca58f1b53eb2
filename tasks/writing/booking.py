"""A slice's sums in the ledger: what it used, what it cost, how its targets ended."""

from collections.abc import Mapping

import orjson

from tasks.adapters.ledger import slices
from tasks.adapters.postgres import Connection
from tasks.adapters.reference import usd_of
from tasks.core.ends import End
from tasks.core.models import Slice
from tasks.core.responses import Usage


def add_usage(
    connection: Connection,
    the_slice: Slice,
    usage: Usage,
    measures: Mapping[str, float],
    extra_usd: float = 0.0,
) -> None:
    """Add what one row used to what its slice has used; `extra_usd` besides its answer."""
    slices.add_usage(
        connection,
        the_slice.slice_id,
        {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens + usage.thought_tokens,
            "cost_usd": usd_of(the_slice.model, usage, the_slice.transport) + extra_usd,
            "measures": _json(_sums(the_slice.measures, measures)),
        },
    )


def close(
    connection: Connection,
    slice_id: str,
    counts: Mapping[str, int],
    used: tuple[int, int, float],
    measures: Mapping[str, float],
) -> None:
    """Close a slice with its ends, `moved` too, and what it used: tokens in and out, dollars."""
    tokens_in, tokens_out, usd = used
    slices.close(
        connection,
        slice_id,
        {
            **{str(end): counts.get(end, 0) for end in (*End, "moved")},
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
            "cost_usd": usd,
            "measures": _json(measures),
        },
    )


def used(the_slice: Slice, usage: Usage) -> tuple[int, int, float]:
    """Return tokens in, tokens out and dollars of a slice's answers."""
    usd = usd_of(the_slice.model, usage, the_slice.transport)
    return usage.input_tokens, usage.output_tokens + usage.thought_tokens, usd


def _sums(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _json(measures: Mapping[str, float]) -> str:
    return orjson.dumps(dict(measures)).decode()
