"""A backfill as data: which rows, which question, which answer, which rows out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tasks.core.gates import Gate
from tasks.core.grounding import Text
from tasks.core.identity import digest
from tasks.core.model_table import Thinking
from tasks.core.models import Question
from tasks.core.places import Destination, InPlace, NewRows, Rows, Source
from tasks.core.template import Part, Template, parse
from tasks.core.wire import Names, Wire, names_of, on_diet

DEFAULT_MODEL = "gemini-3.1-flash-lite"
"""What is asked where neither a declaration nor a site names a model."""

Record: TypeAlias = Mapping[str, object]
"""One row that an answer becomes: values by column, without the target's id."""


class Options(BaseModel):
    """What a site may choose for a backfill; a declaration adds fields, each with a default.

    A list may stand in a file of its own: `{ file = "names.txt" }`, one value a line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Target:
    """One source row that wants an answer, as it is now; `parts` says where its columns stand."""

    doc_id: UUID
    target_id: str
    text: str
    parts: tuple[Part, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Return the columns' values as they stand in the text."""
        return {part.column: self.text[part.start : part.end] for part in self.parts}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backfill's `records` gets to work with.

    Attributes:
        value: the validated answer, of the backfill's own model.
        lost_items: the model's JSON was cut off; what could be read is all there is.
        grounding: the target's text, to find quotes in.
        counts: numbers for the QC report, summed over a slice; `records` adds to them.
        options: what the site chose, of the backfill's own Options.
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
    options: Any = None
    grounding_metadata: Mapping[str, Any] | None = None
    embedding: Sequence[float] | None = None


@dataclass(frozen=True)
class Embedding:
    """A second question about each target: its vector, which `records` gets with the answer.

    Attributes:
        column: the one that `records` puts it into.
        over_limit: whether a text that is longer than the model reads is cut at the end of a
            sentence, or its target skipped; the answer is asked of the whole text in any case.
    """

    model: str
    dimensions: int
    task_type: str = "RETRIEVAL_DOCUMENT"
    column: str = "embedding"
    over_limit: Literal["cut", "skip"] = "cut"


@dataclass(frozen=True, eq=False)
class Backfill:
    """A named question asked of many rows, and where its answers go.

    Attributes:
        answer: the Pydantic model of one answer, or a function from the options to it; its JSON
            schema is sent with every request.
        records: the rows that one answer becomes, all with the same columns; none is an answer too.
        gates: limits on measurements, judged after every run.
        output_tokens: expected per answer, until a pilot has measured it.
        output_tokens_on_diet: the same on the diet; 0 where nobody can say that it saves any.
        model: which model is asked.
        options: what a site may choose; the prompt has `{{ name }}` where a choice belongs.
        max_output_tokens: a request's limit; raised when an answer was cut off.
        waves: sizes of the first waves; the last one repeats. None: all at once, of more than 2,000
            targets 500 before all others.
        wave_gate: what a wave must reach, after its retries, before the next one starts; and a
            slice, or a second one below it stops the run. None: 95 % usable, of 50 answers or more.
        temperature: None is 0, or nothing where the model's sampling is not the caller's any more.
        thinking: as little as the model lets itself be told, unless something else is said.
        google_search: let the model search. Before Gemini 3 no schema can be sent then, so the
            prompt must show the answer's shape; searches are billed apart from tokens.
        embedding: every target is embedded first; its rows are written when both are there.
        interactive_up_to: so many targets are asked one by one unless the run says otherwise.
        formulas: in CSVs, a model's text that begins like a formula gets an apostrophe, or not.
        reading: raised by hand when `records`, or how answers are read, changes what comes out;
            reread/kept-answers brings earlier rows up to it.
        wire: how an answer travels: as `answer` says it, or on the diet, with short names and what
            its LeftOut fields need not say left out; `records` gets the same (`core/wire.py`).
            None: as its version's answers have travelled, and a new version's on the diet, which
            the ledger knows (`versions.as_travelling`); plain where nobody has asked it.
        rows_per_request: so many rows travel in one request of a batch job, and each is asked alone
            once more where its answer is not surely its own (`core/packing.py`); 1 is off.
        prompt: a file with the system instruction; empty means tasks/prompts/<of>.md.
        instruction: what such a file would say, where a person only tries it.
        of: the declaration's name, where an instance of it goes by another.
        site: what the site said of it, as recorded with every run.
    """

    name: str
    title: str
    extractor_version: str
    answer: type[BaseModel] | Callable[[Any], type[BaseModel]]
    records: Callable[[Answer], Iterable[Record]]
    source: Source
    target: Destination
    gates: tuple[Gate, ...]
    output_tokens: int
    model: str = DEFAULT_MODEL
    options: Options = field(default_factory=Options)
    max_output_tokens: int = 1024
    temperature: float | None = None
    thinking: Thinking = "least"
    waves: tuple[int, ...] | None = None
    wave_gate: Gate | None = None
    google_search: bool = False
    embedding: Embedding | None = None
    interactive_up_to: int = 0
    max_attempts: int = 3
    extra_generation_config: Mapping[str, object] = field(default_factory=dict)
    formulas: Literal["quoted", "as_is"] = "quoted"
    reading: int = 1
    wire: Wire | None = None
    output_tokens_on_diet: int = 0
    rows_per_request: int = 1
    prompt: str = ""
    instruction: str = ""
    of: str = ""
    site: Mapping[str, object] = field(default_factory=dict)

    @property
    def in_ledger(self) -> dict[str, str]:
        """Return by what the ledger's statements know this version."""
        return {"backfill": self.name, "extractor_version": self.extractor_version}

    @property
    def declared_as(self) -> str:
        """Return the name of the module that declares it."""
        return self.of or self.name

    @cached_property
    def answer_model(self) -> type[BaseModel]:
        """Return the answer's model under the present options."""
        if isinstance(self.answer, type):
            return self.answer
        return self.answer(self.options)

    @property
    def expected_tokens(self) -> int:
        """Return the output tokens of an answer as it travels."""
        on_diet = self.wire == "diet" and self.output_tokens_on_diet
        return on_diet or self.output_tokens

    @cached_property
    def names(self) -> Names:
        """Return the names under which an answer travels; none where they are its own."""
        return names_of(self.answer_model) if self.wire == "diet" else {}

    @property
    def travelling_model(self) -> type[BaseModel]:
        """Return the answer's model as it is asked for."""
        return on_diet(self.answer_model, self.names)

    @cached_property
    def template(self) -> Template:
        """Return the template of a target's text."""
        return parse(self.source.text)

    @cached_property
    def label(self) -> Template | None:
        """Return the template of what people call a row; None where that is its id or text."""
        return parse(self.source.name) if self.source.name else None

    @property
    def changed(self) -> str:
        """Return the column that says when a row was last changed; empty where none does."""
        return self.source.changed if isinstance(self.source, Rows) else ""

    @property
    def checkpoint(self) -> str:
        """Return the job_name in kb_migrations: backfill_<table>_<extractor_version>."""
        return self.checkpoint_of(self.extractor_version)

    def checkpoint_of(self, extractor_version: str) -> str:
        """Return the job_name of another version."""
        target = self.target
        table = target.table if isinstance(target, NewRows) else ""
        if isinstance(target, InPlace) and isinstance(self.source, Rows):
            table = self.source.table
        return f"backfill_{(table or self.name).replace(chr(34), '')}_{extractor_version}"

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

    def digest(self, *requests: str) -> str:
        """Return what this extractor version means: models, requests and the text's template."""
        return digest((*self.models, *requests, self.template.question))
