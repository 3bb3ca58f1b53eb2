"""What an observer gets of one generation, once it is committed."""

from datetime import datetime

from tasks.adapters import site
from tasks.core.backfill import Backfill, Target
from tasks.core.ends import Outcome
from tasks.core.models import Slice
from tasks.core.observed import Observed
from tasks.core.responses import Response


def observation(  # noqa: PLR0913 - a generation is all of this
    backfill: Backfill,
    the_slice: Slice,
    target: Target,
    response: Response,
    outcome: Outcome,
    *,
    records: int,
    at: datetime,
    status: str,
) -> Observed:
    """Return a generation as its observer gets it: what was asked, answered, and made of it."""
    return Observed(
        backfill=backfill.name,
        extractor_version=backfill.extractor_version,
        model=the_slice.model,
        transport=the_slice.transport,
        instructions=site.prompt(backfill),
        asked=target.text,
        columns=target.columns or {backfill.template.columns[0]: target.text},
        response=response,
        outcome=outcome,
        records=records,
        at=at,
        status=status,
    )
