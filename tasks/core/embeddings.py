"""Vectors of unit length, of as much text as their model reads."""

import math
from collections.abc import Sequence

from tasks.core.answers import Answered, BadReason, Refused, judge_embedding
from tasks.core.backfill import Embedding
from tasks.core.cutting import cut, fits
from tasks.core.requests import OverLimitError
from tasks.core.responses import Response


def readable(spec: Embedding, text: str, tokens: int) -> str:
    """Return what is embedded of a text, so many tokens at most.

    Raises OverLimitError where nothing may be left out.
    The service itself would leave the rest out without a word, or refuse the text.
    """
    if spec.over_limit == "skip" and not fits(text, tokens):
        raise OverLimitError(f"{spec.model} does not read so long a text")
    return cut(text, tokens)


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
