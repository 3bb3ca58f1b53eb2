"""What asking everything under one version costs, and how long that takes."""

from collections.abc import Sequence

from tasks.core.money import Estimate
from tasks.core.responses import Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning.estimate import Past
from tasks.planning.pricing import Workload, estimated, expected_answers, saved_together
from tasks.slices.as_asked import AsAsked

ENOUGH = 10
"""From so many answers on, what they used says more than what is declared."""


def full_run(
    asked: AsAsked,
    past: Past,
    texts: Sequence[str],
    questions: int,
    used: tuple[Usage, int] = (Usage(), 0),
) -> Estimate:
    """Return what so many questions cost in batch: as measured of the version, or by some texts.

    `used` is what some answers of it used that no run asked for, and how many they were.
    """
    usage, count = used
    text_tokens = _mean(texts) / BYTES_PER_TOKEN
    tokens = len(asked.prompt.encode()) / BYTES_PER_TOKEN + text_tokens
    expected, source = expected_answers(asked.backfill, past.measured), "answers as declared"
    if past.measured:
        tokens, source = past.measured.input_tokens or 0.0, past.source
    elif count >= ENOUGH:
        tokens, source = usage.input_tokens / count, f"measured on {count} answers asked now"
        expected["output_tokens"] = (usage.output_tokens + usage.thought_tokens) / count
    rows = asked.backfill.rows_per_request
    if past.rows != rows or not past.measured:
        saved_in, saved_out = saved_together(asked.backfill, rows)
        tokens -= saved_in
        expected["output_tokens"] -= saved_out
    work = Workload(
        targets=questions,
        slices=1,
        transport="batch",
        request_bytes=0,
        guessed_input_tokens=0,
        input_tokens=tokens,
        **expected,
        source=source,
        embedding_tokens=text_tokens,
        job_hours=past.job_hours,
        rows=rows,
    )
    return estimated(asked.backfill, work)


def _mean(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / len(texts) if texts else 0.0
