"""The run's parameters with the words that the form in the Prefect UI shows."""

import re
from typing import Annotated, Literal

from pydantic import Field

from tasks import backfills
from tasks.adapters.ledger.comparisons import Chosen
from tasks.core.models import Kind
from tasks.slices.transport import Wanted

_BETWEEN = re.compile(r"[\n,]")

BackfillName = Annotated[
    str, Field(title="Backfill", json_schema_extra={"enum": [*backfills.names_for_forms()]})
]
RunKind = Annotated[Kind, Field(title="Kind of run")]
Limit = Annotated[int | None, Field(title="At most so many targets", ge=1)]
ApproveUpTo = Annotated[float, Field(title="Approve up to (USD)", ge=0)]
ApprovalHours = Annotated[float, Field(title="Wait for approval (hours)", gt=0, le=24 * 30)]
SliceSize = Annotated[int, Field(title="Rows per batch job", ge=1, le=200_000)]
SlicesAtOnce = Annotated[int, Field(title="Batch jobs in flight", ge=1, le=100)]
Where = Annotated[Literal["process", "workers"], Field(title="Where slices run")]
Fresh = Annotated[bool, Field(title="Start fresh")]
CsvIn = Annotated[str, Field(title="CSV in")]
CsvOut = Annotated[str, Field(title="CSV out")]
DryRun = Annotated[bool, Field(title="Dry run")]
HowToAsk = Annotated[Wanted, Field(title="Transport")]
RestoreMany = Annotated[bool, Field(title="Restore many missing rows without asking")]
WithoutPilot = Annotated[bool, Field(title="Start without a passing pilot")]
ExtractorVersion = Annotated[str | None, Field(title="Extractor version")]
Candidate = Annotated[str | None, Field(title="Candidate's extractor version")]
CandidateLines = Annotated[
    str, Field(title="Candidate's lines", json_schema_extra={"format": "multiline"})
]
Against = Annotated[str | None, Field(title="Compared with extractor version")]
TargetCount = Annotated[int, Field(title="Targets")]
ChosenHow = Annotated[Chosen, Field(title="Which targets")]
Who = Annotated[str, Field(title="Who promotes it")]
Reason = Annotated[str, Field(title="Why")]
AcceptGaps = Annotated[bool, Field(title="Although answers are missing")]
AtRandom = Annotated[float, Field(title="Share drawn at random", ge=0, le=1)]
Seed = Annotated[int, Field(title="Seed")]
AlsoEdited = Annotated[bool, Field(title="Also rows that a person corrected")]
CancelJobs = Annotated[bool, Field(title="Cancel jobs in flight")]
WithCensus = Annotated[bool, Field(title="Also count what stands in the tables")]
StaleHours = Annotated[float, Field(title="Hours without movement", gt=0)]
ExportFormat = Annotated[Literal["parquet", "csv", "jsonl"], Field(title="Format")]
ExportPath = Annotated[str | None, Field(title="File")]
AnswersFile = Annotated[str, Field(title="File")]
TargetIds = Annotated[
    str, Field(title="Ids, one per line or with commas", json_schema_extra={"format": "multiline"})
]
TargetId = Annotated[str, Field(title="Id of a row")]
PromptText = Annotated[str, Field(title="Prompt", json_schema_extra={"format": "multiline"})]
ModelName = Annotated[str, Field(title="Model")]
TypedText = Annotated[
    str, Field(title="Text instead of rows", json_schema_extra={"format": "multiline"})
]
RowCount = Annotated[int, Field(title="How many rows", ge=1, le=50)]
CapUsd = Annotated[float, Field(title="Cap (USD)", ge=0)]
BestOnly = Annotated[bool, Field(title="Only the best of all versions")]
StepSize = Annotated[int, Field(title="Targets per transaction", ge=1, le=100_000)]


def listed(text: str) -> list[str]:
    """Return the ids that a form's field names, each once."""
    return list(dict.fromkeys(each.strip() for each in _BETWEEN.split(text) if each.strip()))
