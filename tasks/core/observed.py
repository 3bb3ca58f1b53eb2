"""A generation as an observer sees it: as a GenAI span, and in Braintrust's own fields.

Attributes: OpenTelemetry's semantic conventions for generative AI, client spans, as they stood at
schema 1.42; `braintrust.*` as its documentation of OpenTelemetry attributes has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import orjson

from tasks.core.ends import End, Outcome
from tasks.core.responses import Response

Attributes = dict[str, str | int | float | bool | list[str]]

# The words of the users' column `ai_status`.
_STATUS = {
    End.WRITTEN: "SUCCESS",
    End.EMPTY: "SUCCESS",
    End.BAD: "ERROR",
    End.SKIPPED: "INVALID_INPUT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was asked, what came back, and what became of it.

    Attributes:
        instructions: the system instruction, the same for every row of a slice.
        asked: the row's text, as it was sent.
        columns: the columns that the text was composed of; empty where there is only the text.
        records: how many rows the answer became.
        status: what the answer says of itself, where it does; else its end says it.
        at: when the answer was read; how long the service took is not known of a batch job.
    """

    backfill: str
    extractor_version: str
    model: str
    transport: str
    instructions: str
    asked: str
    columns: Mapping[str, str]
    response: Response
    outcome: Outcome
    records: int
    at: datetime
    status: str = ""

    @property
    def name(self) -> str:
        """Return the span's name."""
        return f"generate_content {self.model}"

    def attributes(self) -> Attributes:
        """Return the span's attributes; what is unknown is left out."""
        return {
            **self._request(),
            **self._answer(),
            **self._ours(),
            **self._braintrust(),
        }

    def score(self) -> Attributes:
        """Return the evaluation of the answer: 1 for one that could be used."""
        return {
            "gen_ai.evaluation.name": "usable",
            "gen_ai.evaluation.score.value": self._usable,
            "gen_ai.evaluation.score.label": self.outcome.end.value,
            "gen_ai.evaluation.explanation": self.outcome.detail or self.outcome.reason or "",
        }

    @property
    def _usable(self) -> float:
        return float(self.outcome.end in {End.WRITTEN, End.EMPTY})

    def _request(self) -> Attributes:
        return {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.output.type": "json",
            "gen_ai.request.model": self.model,
            "gen_ai.system_instructions": _instructions(self.instructions),
            "gen_ai.input.messages": _messages("user", self.asked, None),
        }

    def _answer(self) -> Attributes:
        """Return what came back; cached and reasoning tokens are parts of the two sums."""
        response, usage = self.response, self.response.usage
        said: Attributes = {
            "gen_ai.usage.input_tokens": self.outcome.input_tokens,
            "gen_ai.usage.output_tokens": self.outcome.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.thought_tokens,
        }
        if response.text is not None:
            said["gen_ai.output.messages"] = _messages(
                "assistant", response.text, response.finish_reason
            )
        if response.finish_reason is not None:
            said["gen_ai.response.finish_reasons"] = [response.finish_reason]
        if response.model_version is not None:
            said["gen_ai.response.model"] = response.model_version
        if self.outcome.end is End.BAD:
            said["error.type"] = self.outcome.reason or "unknown"
        return said

    def _ours(self) -> Attributes:
        return {
            "backfill.name": self.backfill,
            "backfill.extractor_version": self.extractor_version,
            "backfill.transport": self.transport,
            "backfill.doc_id": str(self.outcome.doc_id),
            "backfill.end": self.outcome.end.value,
            "backfill.records": self.records,
        }

    def _braintrust(self) -> Attributes:
        """Return Braintrust's fields, which hold JSON as text; the output is the text itself."""
        said: Attributes = {
            "braintrust.span_attributes": _json({"type": "llm"}),
            "braintrust.input_json": _json(dict(self.columns) or {"text": self.asked}),
            "braintrust.metadata": _json(self._metadata()),
            "braintrust.metrics": _json(self._metrics()),
            "braintrust.scores": _json({"usable": self._usable}),
        }
        if self.response.text is not None:
            said["braintrust.output"] = self.response.text
        return said

    def _metadata(self) -> dict[str, object]:
        said: dict[str, object] = {
            "status": self.status or _STATUS[self.outcome.end],
            "end": self.outcome.end.value,
            "records": self.records,
            "model": self.model,
            "backfill": self.backfill,
            "extractor_version": self.extractor_version,
            "transport": self.transport,
            "doc_id": str(self.outcome.doc_id),
        }
        if self.outcome.reason:
            said["reason"] = self.outcome.reason
        return said

    def _metrics(self) -> dict[str, int]:
        given, made = self.outcome.input_tokens, self.outcome.output_tokens
        return {
            "prompt_tokens": given,
            "prompt_cached_tokens": self.response.usage.cached_tokens,
            "completion_tokens": made,
            "completion_reasoning_tokens": self.response.usage.thought_tokens,
            "tokens": given + made,
        }


# Every row of a run has the same prompt: it is encoded once, and the spans share one string.
@lru_cache(maxsize=16)
def _instructions(text: str) -> str:
    return _json([{"type": "text", "content": text}])


def _messages(role: str, text: str, finish_reason: str | None) -> str:
    message: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return _json([message])


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
