"""Request lines of a batch job's JSONL file; what they have in common is encoded once."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

SAFETY_OFF: tuple[Mapping[str, str], ...] = tuple(
    {"category": f"HARM_CATEGORY_{category}", "threshold": "BLOCK_NONE"}
    for category in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)


_PER_SLICE = ("temperature", "maxOutputTokens")
"""What may change between slices of one version: it changes how an answer is given, not to what."""


class UnsendableTextError(ValueError):
    """The text cannot travel in a request; the message says why, for the skipped target."""


class RequestTemplate:
    """Everything about a generateContent request but its text.

    The system instruction goes into every line: set on the job, it overrides the line's own.

    Raises ValueError for Google Search together with a response schema or JSON mode: the service
    refuses the pair.
    """

    def __init__(
        self,
        system_instruction: str,
        generation_config: Mapping[str, object],
        tools: Sequence[Mapping[str, object]] = (),
        safety_settings: Sequence[Mapping[str, str]] = SAFETY_OFF,
    ) -> None:
        self._config = dict(generation_config)
        self._rest: dict[str, object] = {"safetySettings": list(safety_settings)}
        if system_instruction:
            self._rest["systemInstruction"] = {"parts": [{"text": system_instruction}]}
        if tools:
            self._rest["tools"] = list(tools)
        _refuse_schema_beside_search(self._config, tools)
        self._tails: dict[int | None, bytes] = {}
        self.digest = self._digest()

    def _digest(self) -> str:
        """Return what the question is: without what a slice may choose for its answers."""
        config = {name: value for name, value in self._config.items() if name not in _PER_SLICE}
        question = {**self._rest, "generationConfig": config}
        return hashlib.sha256(orjson.dumps(question)).hexdigest()

    def line(self, key: str, text: str, max_output_tokens: int | None = None) -> bytes:
        """Return one JSONL line, newline included; the limit replaces the configured one.

        Raises UnsendableTextError for blank text and for lone surrogates.
        """
        return b'{"key":%b,"request":{"contents":[{"role":"user","parts":[{"text":%b}]}],%b' % (
            _string(key),
            _string(text),
            self._tails.get(max_output_tokens) or self.tail(max_output_tokens),
        )

    def body(self, text: str, max_output_tokens: int | None = None) -> dict[str, Any]:
        """Return the same request for the interactive transport.

        Raises UnsendableTextError as `line` does.
        """
        _string(text)
        contents = [{"role": "user", "parts": [{"text": text}]}]
        return {"contents": contents, **self._constant(max_output_tokens)}

    def _constant(self, max_output_tokens: int | None) -> dict[str, object]:
        config = dict(self._config)
        if max_output_tokens is not None:
            config["maxOutputTokens"] = max_output_tokens
        return {**self._rest, "generationConfig": config}

    def tail(self, max_output_tokens: int | None = None) -> bytes:
        """Return what every line ends with, encoded once for each limit in use."""
        if max_output_tokens not in self._tails:
            constant = orjson.dumps(self._constant(max_output_tokens))
            self._tails[max_output_tokens] = constant[1:] + b"}\n"
        return self._tails[max_output_tokens]


class EmbeddingTemplate:
    """Everything about an embedContent request but its text."""

    def __init__(self, output_dimensionality: int, task_type: str) -> None:
        self._rest = {"outputDimensionality": output_dimensionality, "taskType": task_type}
        self._tail = orjson.dumps(self._rest)[1:] + b"}\n"
        self.digest = hashlib.sha256(self._tail).hexdigest()

    def tail(self) -> bytes:
        """Return what every line ends with."""
        return self._tail

    def line(self, key: str, text: str) -> bytes:
        """Return one JSONL line, newline included.

        Raises UnsendableTextError for blank text and for lone surrogates.
        """
        return b'{"key":%b,"request":{"content":{"parts":[{"text":%b}]},%b' % (
            _string(key),
            _string(text),
            self._tail,
        )

    def body(self, text: str) -> dict[str, Any]:
        """Return the same request for the interactive transport.

        Raises UnsendableTextError as `line` does.
        """
        _string(text)
        return {"content": {"parts": [{"text": text}]}, **self._rest}


def _string(text: str) -> bytes:
    if not text or text.isspace():
        raise UnsendableTextError("the text is empty")
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError as error:
        raise UnsendableTextError(
            "the text holds half of a surrogate pair, which UTF-8 cannot say"
        ) from error


def _refuse_schema_beside_search(
    config: Mapping[str, object], tools: Sequence[Mapping[str, object]]
) -> None:
    searches = any({"google_search", "googleSearch"} & set(tool) for tool in tools)
    wants_json = {"responseSchema", "responseJsonSchema", "responseMimeType"} & set(config)
    if searches and wants_json:
        raise ValueError(
            f"Google Search cannot be combined with {', '.join(sorted(wants_json))}: leave it out"
            " and read the JSON from the text"
        )
