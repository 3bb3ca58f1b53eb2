"""How requests reach the model: as batch jobs, or one by one."""

from typing import Literal

from tasks.core.backfill import Backfill
from tasks.core.money import Transport

Wanted = Literal["auto", "batch", "interactive"]


def choose(backfill: Backfill, targets: int, wanted: Wanted) -> tuple[Transport, str]:
    """Return the transport for so many targets, and why in one sentence."""
    if wanted != "auto":
        return wanted, f"Transport: {wanted}, as the run says."
    most = backfill.interactive_up_to
    if targets <= most:
        return (
            "interactive",
            f"Transport: interactive, because {targets:,} targets are at most {most:,}.",
        )
    reason = f"{targets:,} targets are more than {most:,}" if most else "it costs half as much"
    return "batch", f"Transport: batch, because {reason}."
