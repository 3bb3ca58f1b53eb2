"""Answering lines: from request lines to response lines, with faults and everyday trouble."""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

import orjson

from deployments.local.emulator import embeddings, faults, models, terms, together, tokens
from deployments.local.emulator.asked import Asked, texts
from deployments.local.emulator.effects import EFFECTS, EVERYDAY
from deployments.local.emulator.passage import Passage
from deployments.local.emulator.reply import Reply, Usage, response_of, usage_of
from deployments.local.emulator.store import Store

Json = dict[str, Any]


@dataclass
class Outcome:
    """What one step brought: lines to write, asks to record, counts to add."""

    lines: list[bytes] = field(default_factory=list)
    asks: list[Json] = field(default_factory=list)
    read_bytes: int = 0
    answered: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=lambda: Usage(0, 0, 0))

    def add(self, usage: Usage, *, failed: bool) -> None:
        """Count one answer."""
        self.failed += failed
        self.answered += not failed
        self.usage.input += usage.input
        self.usage.output += usage.output
        self.usage.thought += usage.thought
        self.usage.searches += usage.searches

    def totals(self) -> dict[str, int]:
        """Return the counts by column."""
        return {
            "answered": self.answered,
            "failed": self.failed,
            "input_tokens": self.usage.input,
            "output_tokens": self.usage.output,
            "thought_tokens": self.usage.thought,
        }


class Answerer:
    """Makes replies to generate requests, deterministic per key and times asked."""

    def __init__(self, store: Store) -> None:
        self.trouble = float(store.setting("trouble"))
        self.faults = faults.at(store, "line")
        self.random = Random()  # noqa: S311 - plausible, not secret

    def reply(self, key: str, request: Json, model: models.Model, asked_before: int) -> Reply:
        """Return the reply to one request, with whatever befalls it."""
        asked, count = Asked(request), tokens.of_request(request)
        meant = terms.of(model.name, asked.raw_config, asked.grounded)
        if refused := meant.refused or terms.too_long(model, count):
            return self._refused(asked, model, refused)
        text = self._together(asked, key, asked_before)
        together.seed_by(self.random, key, asked_before)
        passage = Passage(asked.text, self.random, self.trouble)
        reply = Reply(asked, passage, model, count, text or asked.answer(passage), meant)
        reply.thought = asked.shows_thoughts
        if self.trouble:
            self._trouble(reply, asked_before)
        if asked.make is not None and not asked.schema_given:
            self._unschooled(reply)
        if self.faults:
            self._faults(reply, key, asked.text)
        reply.finish_up()
        return reply

    def _together(self, asked: Asked, key: str, asked_before: int) -> str:
        """Return the answer to several rows; nothing where one is asked about."""
        if asked.make_one is None:
            return ""
        how = asked_before, self.random, self.trouble
        return together.answered(asked.make_one, asked.rows, key, *how)

    def _refused(self, asked: Asked, model: models.Model, message: str) -> Reply:
        reply = Reply(asked, Passage("", self.random), model, 0, "", terms.Terms(message))
        reply.error, reply.usable = terms.status(message), False
        return reply

    def _unschooled(self, reply: Reply) -> None:
        # Without a schema the model writes JSON as it likes: bare, fenced, or in prose.
        luck = self.random.random()
        name = "fenced" if luck < 0.25 else "prose" if luck < 0.4 else ""  # noqa: PLR2004 - S3
        if name and self.trouble:
            EFFECTS[name].act(reply, {})

    def _trouble(self, reply: Reply, asked_before: int) -> None:
        for name, share, once in EVERYDAY:
            if self.random.random() < share * self.trouble and not (once and asked_before):
                apply(reply, name, EFFECTS[name].params)

    def _faults(self, reply: Reply, key: str, text: str) -> None:
        context = {"key": key, "text": text, "model": reply.model.name}
        for fault in self.faults:
            if fault.strikes(context, key):
                apply(reply, fault.kind, fault.params)


def apply(reply: Reply, name: str, params: Json | Any) -> None:  # noqa: ANN401 - JSON
    """Let an effect befall a reply."""
    effect = EFFECTS[name]
    effect.act(reply, params)
    reply.usable = reply.usable and not effect.spoils


class LineWork:
    """Answers the lines of one job."""

    def __init__(self, store: Store, job: Json) -> None:
        self.store = store
        self.job = job
        fate = orjson.loads(job["fate"])
        self.model = models.KNOWN[fate.get("answered_by", job["model"])]
        self.answerer = Answerer(store)
        self.faults = self.answerer.faults
        self.shuffle = self.answerer.trouble > 0

    def answer(self, found: list[tuple[int, bytes]]) -> Outcome:
        """Return what a run of input lines brings."""
        outcome = Outcome(read_bytes=sum(len(raw) for _, raw in found))
        parsed = [(start, len(raw), orjson.loads(raw)) for start, raw in found]
        before = self._asked_before([line.get("key", "") for _, _, line in parsed])
        answer = self._embed if self.job["kind"] == "embed" else self._generate
        groups = []
        for start, size, line in parsed:
            key = str(line.get("key") or (line.get("metadata") or {}).get("key", ""))
            written, usable = answer(key, line, before.get(key, 0), outcome)
            groups.append(written)
            outcome.asks.append(
                {
                    "ask_key": key,
                    "job": self.job["seq"],
                    "offset_at": start,
                    "bytes": size,
                    "ok": usable,
                }
            )
        if self.shuffle and self.job["file_id"]:
            Random(self.job["input_at"]).shuffle(groups)  # noqa: S311
        outcome.lines = [line for group in groups for line in group]
        return outcome

    def _asked_before(self, keys: list[str]) -> dict[str, int]:
        rows = self.store.all("asked_before", keys=orjson.dumps(keys).decode())
        return {row["key"]: row["times"] for row in rows}

    def _generate(
        self, key: str, line: Json, before: int, out: Outcome
    ) -> tuple[list[bytes], bool]:
        reply = self.answerer.reply(key, line["request"], self.model, before)
        usage = usage_of(reply)
        out.add(usage, failed=reply.error is not None)
        written = list(reply.before)
        if not reply.missing:
            written.append(_spoiled(self._line(key, line, reply, usage), reply.spoil))
        for extra in reply.after:
            reply.text = reply.retell()
            other = key if extra == "duplicate" else f"nobody-sent-{crc32(key.encode()):08x}"
            written.append(self._line(other, line, reply, usage))
        return written, reply.usable

    def _line(self, key: str, line: Json, reply: Reply, usage: Usage) -> bytes:
        body: Json = (
            {"error": reply.error} if reply.error else {"response": response_of(reply, usage)}
        )
        return _dumps(key, line, body)

    def _embed(self, key: str, line: Json, before: int, out: Outcome) -> tuple[list[bytes], bool]:
        del before
        context = {"key": key, "text": texts(line["request"].get("content"))}
        for fault in self.faults:
            if fault.kind in ("error_line", "missing_line") and fault.strikes(context, key):
                out.add(Usage(0, 0, 0), failed=fault.kind == "error_line")
                error = {name: fault.params.get(name) for name in ("code", "message")}
                lines = [_dumps(key, line, {"error": error})]
                return (lines if fault.kind == "error_line" else []), False
        body = self._embedded(line["request"])
        used = int(body["response"]["tokenCount"]) if "response" in body else 0
        out.add(Usage(used, 0, 0), failed="error" in body)
        return [_dumps(key, line, body)], "error" not in body

    def _embedded(self, request: Json) -> Json:
        try:
            return {"response": embeddings.response(request, self.model)}
        except embeddings.RefusedError as refused:
            return {"error": terms.status(str(refused))}


def _dumps(key: str, line: Json, body: Json) -> bytes:
    if "metadata" in line:
        body = body | ({"metadata": line["metadata"]} if line["metadata"] else {})
    # The order inside the object is not promised, so it varies.
    elif crc32(key.encode()) & 1:
        body = {"key": key} | body
    else:
        body["key"] = key
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _spoiled(line: bytes, spoil: bytes) -> bytes:
    if not spoil:
        return line
    # Inside a string, so that the line's structure stays.
    at = line.find(b'":"') + 3
    return line[:at] + spoil + line[at:]
