"""A few rows asked at once with a prompt or a model of one's own: nothing is written."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.stages import says_why
from tasks.planning.parameters import (
    BackfillName,
    CapUsd,
    ModelName,
    PromptText,
    RowCount,
    TargetIds,
    TypedText,
    listed,
)
from tasks.trying.page import try_rows as ask_a_few


@flow(name="try", flow_run_name="try rows of {name}")
@says_why
async def try_rows(  # noqa: PLR0913, PLR0917 - the fields of a form
    name: BackfillName = "passage_concepts",
    prompt: PromptText = "",
    model: ModelName = "",
    ids: TargetIds = "",
    text: TypedText = "",
    count: RowCount = 5,
    cap_usd: CapUsd = 0.1,
) -> State:
    """Show what a model says of a few rows: request, answer, quotes, rows, tokens and dollars.

    The rows are asked at once, at the standard price. Nothing is written, and no version is frozen.

    Args:
        name: Which backfill.
        prompt: The prompt to try; empty means the site's. `{{ option }}` stands for a choice.
        model: Any of tasks/models.toml; empty means the site's.
        ids: The rows' ids, one per line or with commas between them; empty means a few rows, the
            same each time.
        text: A text to ask about instead of rows.
        count: So many rows, where no ids are given.
        cap_usd: Spend no more than that; refused where one request may cost more.
    """
    return await ask_a_few(
        name,
        prompt=prompt,
        model=model,
        ids=listed(ids),
        text=text,
        count=count,
        cap_usd=cap_usd,
        flow_run_id=flow_run.get_id(),
    )
