"""A backfill as data: which question, which answer, which rows out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tasks.core.gates import Gate
from tasks.core.grounding import Text
from tasks.core.identity import digest

Record = Sequence[object]


@dataclass(frozen=True, slots=True)
class Target:
    """One source row that wants an answer, as it is now."""

    doc_id: UUID
    target_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backfill's `records` gets to work with."""

    target: Target
    value: Any
    model: str
    extractor_version: str
    grounding: Text


@dataclass(frozen=True)
class Backfill:
    """A named question asked of many rows, and where its answers go.

    Its SQL is sql/queries/<name>.sql, its system instruction tasks/prompts/<name>.md.

    Attributes:
        answer: the Pydantic model of one answer; its JSON schema is sent with every request.
        records: the rows that one answer becomes, each in the column order of `copy_records`.
        measure: what to count about one answer's rows, for the QC report.
        output_tokens: expected per answer, until a pilot has measured it.
        max_output_tokens: a request's limit; raised when an answer was cut off.
        tables: the columns that must exist, by table; preflight names all that do not.
        checkpoint: the job_name in kb_migrations.
        waves: sizes of the first waves; the last one repeats. None: all at once.
    """

    name: str
    title: str
    extractor_version: str
    model: str
    answer: type[BaseModel]
    records: Callable[[Answer], Iterable[Record]]
    measure: Callable[[Answer], Iterable[str]]
    tables: Mapping[str, Sequence[str]]
    checkpoint: str
    gates: tuple[Gate, ...]
    output_tokens: int
    max_output_tokens: int = 4096
    temperature: float = 0.0
    thinking_budget: int | None = 0
    waves: tuple[int, ...] | None = None
    max_attempts: int = 3
    extra_generation_config: Mapping[str, object] = field(default_factory=dict)

    def generation_config(self, response_schema: Mapping[str, object]) -> dict[str, object]:
        """Return the request's generationConfig."""
        config: dict[str, object] = {
            "temperature": self.temperature,
            "maxOutputTokens": self.max_output_tokens,
            "responseMimeType": "application/json",
            "responseSchema": dict(response_schema),
            **self.extra_generation_config,
        }
        if self.thinking_budget is not None:
            config["thinkingConfig"] = {"thinkingBudget": self.thinking_budget}
        return config

    def digest(self, template_digest: str) -> str:
        """Return what this extractor version means: the model and everything in its requests."""
        return digest((self.model, template_digest))
