"""One answer on its way out: what it says, and what went wrong with it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from deployments.local.emulator import tokens
from deployments.local.emulator.asked import Asked
from deployments.local.emulator.models import Model
from deployments.local.emulator.passage import Passage
from deployments.local.emulator.terms import Terms

Json = dict[str, Any]
LITTLE_THOUGHT = 48
MOST_QUERIES = 3


@dataclass(slots=True)
class Reply:
    """An answer to one generate request; effects change it before it is rendered."""

    asked: Asked
    passage: Passage
    model: Model
    input_tokens: int
    text: str
    terms: Terms
    finish: str = "STOP"
    blocked: str | None = None  # the prompt's block reason
    error: Json | None = None  # instead of a response
    thought: bool = False  # show that it thought, and think at least a little
    thoughts: int = 0  # tokens
    queries: tuple[str, ...] = ()  # what it searched the web for
    cached: bool = False  # half of the prompt was in the service's cache
    usage: str = "full"  # full, partial or none
    usable: bool = True
    missing: bool = False
    before: list[bytes] = field(default_factory=list)
    after: list[str] = field(default_factory=list)  # what to add behind the line
    spoil: bytes = b""  # raw bytes put into the line

    @property
    def random(self) -> Random:
        """Return this answer's source of chance."""
        return self.passage.random

    def retell(self) -> str:
        """Return another answer to the same question."""
        return self.asked.answer(self.passage)

    def finish_up(self) -> None:
        """Think, search, and end the text where the request's maxOutputTokens ends."""
        if self.blocked or self.error:
            return
        self._think()
        self._limit()
        if self.asked.grounded and self.text:
            count = 1 + int(self.passage.chance() * MOST_QUERIES)
            self.queries = tuple(self.passage.phrase() for _ in range(count))

    def _think(self) -> None:
        least, most = self.terms.thoughts
        if most:
            self.thoughts = self.random.randint(least, most)
        if self.thought and not self.terms.off:
            self.thoughts = max(self.thoughts, LITTLE_THOUGHT)

    def _limit(self) -> None:
        # Thoughts count against the limit, and may leave nothing for the answer.
        most = self.asked.most_tokens
        if most is None:
            return
        self.thoughts = min(self.thoughts, most)
        left = most - self.thoughts
        if self.text and not left:
            self.silence("MAX_TOKENS")
        elif tokens.of(self.text) > left:
            self.cut(left * 4)

    def cut(self, characters: int) -> None:
        """End the text early, as MAX_TOKENS does."""
        self.text = self.text[:characters]
        self.finish = "MAX_TOKENS"
        self.usable = False

    def silence(self, reason: str) -> None:
        """Leave a candidate without content."""
        self.finish, self.usable, self.text = reason, False, ""


@dataclass(slots=True)
class Usage:
    """The tokens of one answer."""

    input: int
    output: int
    thought: int
    cached: int = 0
    searches: int = 0

    def metadata(self, how: str) -> Json:
        """Return usageMetadata; some fields may be missing, as in the field."""
        body: Json = {"promptTokenCount": self.input}
        if how != "partial":
            body["totalTokenCount"] = self.input + self.output + self.thought
            body["promptTokensDetails"] = tokens.detail(self.input)
        if self.output:
            body["candidatesTokenCount"] = self.output
        if self.thought:
            body["thoughtsTokenCount"] = self.thought
        if self.cached:
            body["cachedContentTokenCount"] = self.cached
        return body


def usage_of(reply: Reply) -> Usage:
    """Return what an answer used; one that failed used nothing."""
    if reply.error:
        return Usage(0, 0, 0)
    cached = reply.input_tokens // 2 if reply.cached else 0
    output = tokens.of(reply.text)
    return Usage(reply.input_tokens, output, reply.thoughts, cached, len(reply.queries))


def response_of(reply: Reply, usage: Usage) -> Json:
    """Return a GenerateContentResponse."""
    body: Json = {}
    if reply.blocked:
        body["promptFeedback"] = {"blockReason": reply.blocked}
    else:
        body["candidates"] = [_candidate(reply)]
    if reply.usage != "none":
        body["usageMetadata"] = usage.metadata(reply.usage)
    body["modelVersion"] = reply.model.name
    body["responseId"] = f"{reply.random.getrandbits(96):024x}"
    return body


def _candidate(reply: Reply) -> Json:
    candidate: Json = {}
    if reply.text:
        candidate["content"] = {"parts": _parts(reply), "role": "model"}
    candidate["finishReason"] = reply.finish
    candidate["index"] = 0
    if reply.queries:
        candidate["groundingMetadata"] = _grounding(reply.queries)
    return candidate


def _parts(reply: Reply) -> list[Json]:
    parts: list[Json] = [{"text": reply.text}]
    if reply.asked.shows_thoughts:
        parts.insert(0, {"text": "Reading the passage first.", "thought": True})
    elif reply.thought:
        parts.append({"text": "", "thoughtSignature": "c2lnbmF0dXJl"})
    return parts


def _grounding(queries: tuple[str, ...]) -> Json:
    web = {"uri": "https://example.com/found", "title": queries[0]}
    return {"webSearchQueries": list(queries), "groundingChunks": [{"web": web}]}
