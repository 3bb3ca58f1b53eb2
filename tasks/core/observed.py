"""A generation as an observer sees it, in the words of OpenTelemetry's GenAI conventions.

Attributes: OpenTelemetry semantic conventions for generative AI, client spans, version 1.37.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson

from tasks.core.ends import End, Outcome

Attributes = dict[str, str | int | float | bool | list[str]]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was asked, what came back, and what became of it."""

    backfill: str
    extractor_version: str
    model: str
    transport: str
    asked: str
    answered: str | None
    finish_reason: str | None
    outcome: Outcome
    at: datetime

    @property
    def name(self) -> str:
        """Return the span's name."""
        return f"generate_content {self.model}"

    def attributes(self) -> Attributes:
        """Return the span's attributes; what is unknown is left out."""
        said: Attributes = {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.output.type": "json",
            "gen_ai.request.model": self.model,
            "gen_ai.usage.input_tokens": self.outcome.input_tokens,
            "gen_ai.usage.output_tokens": self.outcome.output_tokens,
            "gen_ai.input.messages": _messages("user", self.asked, None),
            "backfill.name": self.backfill,
            "backfill.extractor_version": self.extractor_version,
            "backfill.transport": self.transport,
            "backfill.doc_id": str(self.outcome.doc_id),
        }
        if self.answered is not None:
            said["gen_ai.output.messages"] = _messages(
                "assistant", self.answered, self.finish_reason
            )
        if self.finish_reason is not None:
            said["gen_ai.response.finish_reasons"] = [self.finish_reason]
        if self.outcome.model_version is not None:
            said["gen_ai.response.model"] = self.outcome.model_version
        if self.outcome.end is End.BAD:
            said["error.type"] = self.outcome.reason or "unknown"
        return said

    def score(self) -> Attributes:
        """Return the evaluation of the answer: 1 for one that could be used."""
        return {
            "gen_ai.evaluation.name": "usable",
            "gen_ai.evaluation.score.value": float(self.outcome.end is not End.BAD),
            "gen_ai.evaluation.score.label": self.outcome.end.value,
            "gen_ai.evaluation.explanation": self.outcome.detail or self.outcome.reason or "",
        }


def _messages(role: str, text: str, finish_reason: str | None) -> str:
    message: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return orjson.dumps([message]).decode()
