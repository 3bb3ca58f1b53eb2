"""What an observer gets of one generation, once it is committed."""

from datetime import datetime

from pydantic import ValidationError

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
        response=response._replace(text=_in_full(backfill, response.text)),
        outcome=outcome,
        records=records,
        at=at,
        status=status,
    )


def _in_full(backfill: Backfill, text: str | None) -> str | None:
    """Return an answer under its own names; as it travelled where it cannot be read."""
    if text is None or not backfill.names:
        return text
    try:
        return backfill.travelling_model.model_validate_json(text).model_dump_json()
    except ValidationError:
        return text
