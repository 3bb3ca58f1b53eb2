"""Vectors of unit length."""

import math
from collections.abc import Sequence

from tasks.core.answers import Answered, BadReason, Refused, judge_embedding
from tasks.core.responses import Response


def judge_unit(response: Response, dimensions: int) -> Answered[list[float]] | Refused[list[float]]:
    """Return the response's vector brought to unit length, or why there is none.

    Shortened vectors of gemini-embedding-001 are not of unit length as they come (Gemini API,
    Embeddings, "Ensuring quality for smaller dimensions").
    """
    verdict = judge_embedding(response, dimensions)
    if isinstance(verdict, Refused):
        return verdict
    length = math.hypot(*verdict.answer)
    if not math.isfinite(length) or length == 0.0:
        return Refused(BadReason.WRONG_SHAPE, f"a vector of length {length}")
    return Answered(unit(verdict.answer))


def unit(values: Sequence[float]) -> list[float]:
    """Return the vector of length 1 that points the same way; its length must not be 0."""
    length = math.hypot(*values)
    return [value / length for value in values]
