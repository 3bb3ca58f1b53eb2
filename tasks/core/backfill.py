"""A backfill as data: which question, which answer, which rows out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tasks.core.gates import Gate
from tasks.core.grounding import Text
from tasks.core.identity import digest
from tasks.core.models import Question

Record = Sequence[object]


@dataclass(frozen=True, slots=True)
class Target:
    """One source row that wants an answer, as it is now."""

    doc_id: UUID
    target_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backfill's `records` gets to work with.

    Attributes:
        value: the validated answer, of the backfill's own model.
        lost_items: the model's JSON was cut off; what could be read is all there is.
        grounding: the target's text, to find quotes in.
        counts: numbers for the QC report, summed over a slice; `records` adds to them.
        grounding_metadata: what Google Search found and was asked, where it was switched on.
        embedding: the text's vector, of unit length, where the backfill asks for one.
    """

    target: Target
    value: Any
    lost_items: bool
    model: str
    extractor_version: str
    created_at: datetime
    grounding: Text
    counts: Counter[str]
    grounding_metadata: Mapping[str, Any] | None = None
    embedding: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What a backfill needs of one of the user's tables."""

    name: str
    columns: tuple[str, ...]
    rights: tuple[str, ...] = ("select",)


@dataclass(frozen=True, slots=True)
class CsvExchange:
    """A CSV whose rows are the targets, and the columns that its merged copy has besides.

    CSV is an exchange format at the two ends; between them the rows live in a table, all values as
    texts. The SQL file has `create_source`, `clear_source`, `copy_source` and `export_rows`.

    Attributes:
        columns: what the file's header must name, in the order in which they come out again.
        generated: what follows them.
    """

    columns: tuple[str, ...]
    generated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Embedding:
    """A second question about each target: its vector, which `records` gets with the answer."""

    model: str
    dimensions: int
    task_type: str = "RETRIEVAL_DOCUMENT"


@dataclass(frozen=True)
class Backfill:
    """A named question asked of many rows, and where its answers go.

    Its SQL is sql/queries/<name>.sql, its system instruction tasks/prompts/<name>.md.

    Attributes:
        answer: the Pydantic model of one answer; its JSON schema is sent with every request.
        records: the rows that one answer becomes, each in the column order of `copy_records`.
        output_tokens: expected per answer, until a pilot has measured it.
        max_output_tokens: a request's limit; raised when an answer was cut off.
        tables: what must exist and be allowed; preflight names all that is not.
        checkpoint: the job_name in kb_migrations.
        waves: sizes of the first waves; the last one repeats. None: all at once.
        wave_gate: what a wave must reach, after its retries, before the next one starts.
        google_search: let the model search. No schema can be sent then, so the prompt must show the
            answer's shape; searches are billed apart from tokens.
        csv: the targets come from a CSV and go back into one.
        embedding: every target is embedded first; its rows are written when both are there.
        interactive_up_to: so many targets are asked one by one unless the run says otherwise.
    """

    name: str
    title: str
    extractor_version: str
    model: str
    answer: type[BaseModel]
    records: Callable[[Answer], Iterable[Record]]
    tables: tuple[Table, ...]
    checkpoint: str
    gates: tuple[Gate, ...]
    output_tokens: int
    max_output_tokens: int = 4096
    temperature: float = 0.0
    thinking_budget: int | None = 0
    waves: tuple[int, ...] | None = None
    wave_gate: Gate | None = None
    google_search: bool = False
    csv: CsvExchange | None = None
    embedding: Embedding | None = None
    interactive_up_to: int = 0
    max_attempts: int = 3
    extra_generation_config: Mapping[str, object] = field(default_factory=dict)

    def generation_config(self, response_schema: Mapping[str, object]) -> dict[str, object]:
        """Return the request's generationConfig."""
        config: dict[str, object] = {
            "temperature": self.temperature,
            "maxOutputTokens": self.max_output_tokens,
            **self.extra_generation_config,
        }
        if not self.google_search:
            config["responseMimeType"] = "application/json"
            config["responseSchema"] = dict(response_schema)
        if self.thinking_budget is not None:
            config["thinkingConfig"] = {"thinkingBudget": self.thinking_budget}
        return config

    @property
    def tools(self) -> tuple[Mapping[str, object], ...]:
        """Return the request's tools."""
        return ({"googleSearch": {}},) if self.google_search else ()

    @property
    def first_question(self) -> tuple[Question, str]:
        """Return what a target is asked first, and of which model."""
        return ("embedding", self.embedding.model) if self.embedding else ("answer", self.model)

    @property
    def models(self) -> list[str]:
        """Return every model that is asked."""
        return [self.model, *([self.embedding.model] if self.embedding else [])]

    def digest(self, *templates: str) -> str:
        """Return what this extractor version means: the models and everything in their requests."""
        return digest((*self.models, *templates))
