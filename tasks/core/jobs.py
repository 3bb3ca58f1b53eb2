"""States of Gemini's batch jobs, without their JOB_STATE_ or BATCH_STATE_ prefix."""

WITH_OUTPUT = frozenset({"SUCCEEDED", "PARTIALLY_SUCCEEDED"})
"""The job's output can be fetched. PARTIALLY_SUCCEEDED is Vertex's; we would not mind it."""

WITHOUT_OUTPUT = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
"""Nothing will come, and nothing was charged for what did not come."""


def is_ready(state: str, output_file: str | None) -> bool:
    """Return whether there is nothing to wait for: SUCCEEDED may come before the output."""
    return state in WITHOUT_OUTPUT or (state in WITH_OUTPUT and output_file is not None)
