"""Request lines of a batch job's JSONL file, and the schema that they send with them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from tasks.core.ends import SkipReason
from tasks.core.unseen import is_blank

SAFETY_OFF: tuple[Mapping[str, str], ...] = tuple(
    {"category": f"HARM_CATEGORY_{category}", "threshold": "BLOCK_NONE"}
    for category in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)


_PER_SLICE = ("temperature", "maxOutputTokens")
"""What may change between slices of one version: it changes how an answer is given, not to what."""

# Said by the subset in the same words (discovery document of v1beta, schema `Schema`).
_SAME = ("description", "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength")
_SAME_TOO = ("pattern", "nullable")
# Known, and not worth saying: titles repeat names, defaults are ours, `false` is the service's way.
_LEFT_OUT = {"title", "default", "examples", "additionalProperties", "said"}
_READ = {"type", "enum", "const", "format", "items", "properties", "required"}
_TYPES = {"string", "integer", "number", "boolean", "array", "object"}
_FORMATS = {"date-time"}
Json = Mapping[str, Any]
EmbeddingForm = Literal["config", "fields"]
"""How requests for vectors say what they ask: in embedContentConfig, or beside the content."""


class UnsendableTextError(ValueError):
    """The text cannot travel in a request; the message says why, for the skipped target."""

    skip_reason = SkipReason.UNSENDABLE


class OverLimitError(UnsendableTextError):
    """The text is longer than the model reads, and nothing of it may be left out."""

    skip_reason = SkipReason.OVER_LIMIT


class RequestTemplate:
    """Everything about a generateContent request but its text.

    The system instruction goes into every line: set on the job, it overrides the line's own.
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
        self._tails: dict[tuple[int | None, float | None], bytes] = {}
        self.digest = hashlib.sha256(orjson.dumps(self.question)).hexdigest()

    @property
    def question(self) -> dict[str, object]:
        """Return what the question is: without what a slice may choose for its answers."""
        config = {name: value for name, value in self._config.items() if name not in _PER_SLICE}
        return {**self._rest, "generationConfig": config}

    def line(
        self,
        key: str,
        text: str | Sequence[str],
        max_output_tokens: int | None = None,
        temperature: float | None = None,
    ) -> bytes:
        """Return one JSONL line, newline included; limit and temperature replace the configured.

        Several texts are the parts of one message. Raises UnsendableTextError for blank text and
        for lone surrogates.
        """
        texts = [text] if isinstance(text, str) else text
        return b'{"key":%b,"request":{"contents":[{"role":"user","parts":[%b]}],%b' % (
            _string(key),
            b",".join([b'{"text":%b}' % _string(each) for each in texts]),
            self.tail(max_output_tokens, temperature),
        )

    def body(
        self, text: str, max_output_tokens: int | None = None, temperature: float | None = None
    ) -> dict[str, Any]:
        """Return the same request for the interactive transport.

        Raises UnsendableTextError as `line` does.
        """
        _string(text)
        contents = [{"role": "user", "parts": [{"text": text}]}]
        return {"contents": contents, **self._constant(max_output_tokens, temperature)}

    def _constant(
        self, max_output_tokens: int | None, temperature: float | None
    ) -> dict[str, object]:
        config = dict(self._config)
        if max_output_tokens is not None:
            config["maxOutputTokens"] = max_output_tokens
        if temperature is not None:
            config["temperature"] = temperature
        return {**self._rest, "generationConfig": config}

    def tail(self, max_output_tokens: int | None = None, temperature: float | None = None) -> bytes:
        """Return what every line ends with, encoded once for each limit and temperature in use."""
        chosen = max_output_tokens, temperature
        if chosen not in self._tails:
            self._tails[chosen] = _tail(self._constant(*chosen))
        return self._tails[chosen]


class EmbeddingTemplate:
    """Everything about an embedContent request but its text.

    Its digest is of what is asked; in which form that is sent is no part of it.
    """

    def __init__(
        self, output_dimensionality: int, task_type: str, form: EmbeddingForm = "config"
    ) -> None:
        self.question: dict[str, object] = {
            "outputDimensionality": output_dimensionality,
            "taskType": task_type,
        }
        self.digest = hashlib.sha256(_tail(self.question)).hexdigest()
        self._rest = self.question
        if form == "config":
            # Left to itself the service cuts a long text and says nothing of it.
            self._rest = {"embedContentConfig": {**self.question, "autoTruncate": False}}
        self._tail = _tail(self._rest)

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


def _tail(constant: Mapping[str, object]) -> bytes:
    return orjson.dumps(constant)[1:] + b"}\n"


def require_sendable(text: str) -> None:
    """Return where a text can travel in a request; raise UnsendableTextError where it cannot."""
    _string(text)


def _string(text: str) -> bytes:
    if is_blank(text):
        raise UnsendableTextError("the text is empty")
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError as error:
        raise UnsendableTextError(
            "the text holds half of a surrogate pair, which UTF-8 cannot say"
        ) from error


def response_schema(model: type[BaseModel]) -> dict[str, object]:
    """Return the model's `responseSchema`: $defs inlined, types in upper case, order kept.

    Raises ValueError, naming the field, for what the subset cannot say: dictionaries, recursion,
    unions other than Optional, tuples, sets, exclusive bounds, formats other than date-time.
    """
    whole = model.model_json_schema()
    return _Converter(whole.get("$defs", {})).convert(whole, model.__name__, ())


class _Converter:
    """One conversion: the definitions to inline, and the way to the field for messages."""

    def __init__(self, definitions: Json) -> None:
        self._definitions = definitions

    def convert(self, schema: Json, field: str, inside: tuple[str, ...]) -> dict[str, object]:
        """Return one (sub)schema in the service's words."""
        schema, inside = self._resolved(_optional_unwrapped(schema, field), field, inside)
        _refuse_unknown(schema, field)
        said: dict[str, object] = {"type": _type(schema, field)}
        said |= {word: schema[word] for word in _SAME + _SAME_TOO if word in schema}
        said |= _choices(schema, field)
        if said["type"] == "OBJECT":
            said |= self._properties(schema, field, inside)
        if said["type"] == "ARRAY":
            said["items"] = self.convert(schema.get("items", {}), f"{field}[]", inside)
        return said

    def _resolved(
        self, schema: Json, field: str, inside: tuple[str, ...]
    ) -> tuple[Json, tuple[str, ...]]:
        while (reference := schema.get("$ref")) is not None:
            name = reference.rsplit("/", 1)[-1]
            if name in inside:
                raise ValueError(f"{field} contains itself; a response schema cannot recurse")
            inside = (*inside, name)
            own_words = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._definitions[name], **own_words}
        return schema, inside

    def _properties(self, schema: Json, field: str, inside: tuple[str, ...]) -> dict[str, object]:
        properties = schema.get("properties")
        if not properties:
            raise ValueError(f"{field} is an object without named fields; use a model with fields")
        said: dict[str, object] = {
            "properties": {
                name: self.convert(value, f"{field}.{name}", inside)
                for name, value in properties.items()
            },
            "propertyOrdering": list(properties),
        }
        if required := schema.get("required"):
            said["required"] = list(required)
        return said


def _optional_unwrapped(schema: Json, field: str) -> Json:
    if "anyOf" not in schema:
        return schema
    real = [option for option in schema["anyOf"] if option.get("type") != "null"]
    if len(real) != 1 or len(real) == len(schema["anyOf"]):
        raise ValueError(f"{field} is a union; a response schema can only say Optional")
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**real[0], **rest, "nullable": True}


def _refuse_unknown(schema: Json, field: str) -> None:
    known = {*_SAME, *_SAME_TOO, *_LEFT_OUT, *_READ, "$defs"}
    if unknown := set(schema) - known:
        raise ValueError(f"{field} uses {_listed(unknown)}, which a response schema cannot say")
    if schema.get("additionalProperties", False) not in (True, False):
        raise ValueError(f"{field} is a dictionary; use a list of models with a key field")
    if (kind := schema.get("format")) is not None and kind not in _FORMATS:
        raise ValueError(f"{field} has the format {kind}, which a response schema cannot say")


def _type(schema: Json, field: str) -> str:
    kind = schema.get("type")
    if kind not in _TYPES:
        raise ValueError(f"{field} has no single type that a response schema can say; annotate it")
    return str(kind).upper()


def _choices(schema: Json, field: str) -> dict[str, object]:
    said: dict[str, object] = {"format": schema["format"]} if "format" in schema else {}
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is None:
        return said
    if not all(isinstance(choice, str) for choice in choices):
        raise ValueError(f"{field} is an enum of other things than strings; use strings")
    return {**said, "enum": list(choices)}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
