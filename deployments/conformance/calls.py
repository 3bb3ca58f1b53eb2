"""The calls that are answered at once, those that are to be refused among them."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from google.genai import types

from deployments.conformance.record import Observation
from deployments.conformance.service import Json, Service

TEXT = "A lighthouse keeper wrote down every ship that passed: 12 on Monday, 7 on Tuesday."
SYSTEM = "You name things that are in a text, and nothing else."
SCHEMA: Json = {
    "type": "OBJECT",
    "properties": {"things": {"type": "ARRAY", "items": {"type": "STRING"}}},
    "required": ["things"],
}
MOST_INPUT, MOST_OUTPUT = 200, 256
NOBODY = "0nobody0made"
NO_MODEL = "gemini-nobody-made"


@dataclass(frozen=True)
class Call:
    """One observation, and how many paid requests it makes of which model."""

    name: str
    ask: Callable[[Service], Observation]
    generates: int = 0
    embeds: int = 0
    searches: int = 0


def generate_body(config: Mapping[str, object], text: str = TEXT) -> Json:
    """Return a request as the product writes it, with room for little output."""
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "generationConfig": {
            "maxOutputTokens": MOST_OUTPUT,
            "responseMimeType": "application/json",
            "responseSchema": SCHEMA,
            **config,
        },
    }


def embed_body(form: str, text: str = TEXT) -> Json:
    """Return a request for a vector: its options beside the content, or in embedContentConfig."""
    options = {"taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 768}
    content: Json = {"content": {"parts": [{"text": text}]}}
    if form == "config":
        return content | {"embedContentConfig": options | {"autoTruncate": False}}
    return content | options


def _get_models(it: Service) -> Observation:
    return it.observe(
        lambda: it.sdk.models.get(model=it.record.model),
        lambda: it.sdk.models.get(model=it.record.embedding_model),
        lambda: it.sdk.models.get(model=NO_MODEL),
    )


def _list_models(it: Service) -> Observation:
    return it.observe(lambda: list(it.sdk.models.list(config={"page_size": 1000})))


def _count_tokens(it: Service) -> Observation:
    return it.observe(lambda: it.sdk.models.count_tokens(model=it.record.model, contents=TEXT))


def _generate(config: types.GenerateContentConfigDict, it: Service, model: str = "") -> Observation:
    config = {"max_output_tokens": MOST_OUTPUT, **config}
    return it.observe(
        lambda: it.sdk.models.generate_content(
            model=model or it.record.model, contents=TEXT, config=config
        )
    )


def _generate_raw(body: Json, it: Service) -> Observation:
    path = f"models/{it.record.model}:generateContent"
    return it.observe(lambda: it.send("post", path, body))


def _thinking(form: Json, it: Service) -> Observation:
    return _generate_raw(generate_body({"thinkingConfig": form}), it)


def _search(it: Service) -> Observation:
    body = generate_body({}, "Search the web: which ocean is the largest?")
    return _generate_raw(body | {"tools": [{"googleSearch": {}}]}, it)


def _embed(it: Service) -> Observation:
    config: types.EmbedContentConfigDict = {
        "task_type": "RETRIEVAL_DOCUMENT",
        "output_dimensionality": 768,
    }
    model = it.record.embedding_model
    return it.observe(
        lambda: it.sdk.models.embed_content(model=model, contents=TEXT, config=config)
    )


def _embed_raw(form: str, it: Service) -> Observation:
    path = f"models/{it.record.embedding_model}:embedContent"
    return it.observe(lambda: it.send("post", path, embed_body(form)))


def _files(it: Service) -> Observation:
    names: list[str] = []
    return it.observe(
        lambda: names.append(upload(it, "file", b"{}\n")),
        lambda: it.sdk.files.get(name=names[0]),
        lambda: list(it.sdk.files.list(config={"page_size": 100})),
        lambda: it.sdk.files.download(file=names[0]),
        lambda: it.sdk.files.delete(name=names[0]),
        lambda: it.sdk.files.delete(name=names[0]),
    )


def upload(it: Service, name: str, content: bytes) -> str:
    """Upload a file as the product does; return its name at the service."""
    config = types.UploadFileConfig(
        display_name=f"{it.record.prefix}{name}", mime_type="application/jsonl"
    )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "requests.jsonl"
        path.write_bytes(content)
        return str(it.sdk.files.upload(file=str(path), config=config).name)


def _unknown_file(it: Service) -> Observation:
    name = f"files/{NOBODY}"
    job = types.CreateBatchJobConfig(display_name=f"{it.record.prefix}no-file")
    return it.observe(
        lambda: it.sdk.files.get(name=name),
        lambda: it.sdk.batches.create(model=it.record.model, src=name, config=job),
    )


def _unknown_job(it: Service) -> Observation:
    name = f"batches/{NOBODY}"
    return it.observe(
        lambda: it.sdk.batches.get(name=name),
        lambda: it.send("get", name),
        lambda: it.sdk.batches.cancel(name=name),
        lambda: it.sdk.batches.delete(name=name),
    )


def _bad_key(it: Service) -> Observation:
    sdk = it.sdk_with_bad_key
    return it.observe(
        lambda: sdk.models.get(model=it.record.model),
        lambda: sdk.models.count_tokens(model=it.record.model, contents=TEXT),
        lambda: list(sdk.batches.list()),
    )


_AS_JSON: types.GenerateContentConfigDict = {
    "response_mime_type": "application/json",
    "response_schema": SCHEMA,
}
_THINKING: dict[str, Json] = {
    "budget 0": {"thinkingBudget": 0},
    "budget -1": {"thinkingBudget": -1},
    "level minimal": {"thinkingLevel": "MINIMAL"},
    "level low": {"thinkingLevel": "low"},
    "budget and level": {"thinkingBudget": 0, "thinkingLevel": "LOW"},
}
CALLS: tuple[Call, ...] = (
    Call("models.get", _get_models),
    Call("models.list", _list_models),
    Call("countTokens", _count_tokens),
    Call("generateContent", partial(_generate, {}), generates=1),
    Call("generateContent with a schema", partial(_generate, _AS_JSON), generates=1),
    Call("generateContent raw", partial(_generate_raw, generate_body({})), generates=1),
    Call(
        "generateContent cut off",
        partial(_generate_raw, generate_body({"maxOutputTokens": 2})),
        generates=1,
    ),
    *(
        Call(f"generateContent, thinking {name}", partial(_thinking, form), generates=1)
        for name, form in _THINKING.items()
    ),
    Call(
        "generateContent, temperature 99",
        partial(_generate_raw, generate_body({"temperature": 99})),
        generates=1,
    ),
    Call(
        "generateContent, unknown field",
        partial(_generate_raw, generate_body({"noSuchField": 1})),
    ),
    Call("generateContent, no contents", partial(_generate_raw, {"contents": []})),
    Call("generateContent, unknown model", partial(_generate, {}, model=NO_MODEL)),
    Call("generateContent, search and schema", _search, generates=1, searches=2),
    Call("embedContent by the SDK", _embed, embeds=1),
    Call("embedContent, old form", partial(_embed_raw, "old"), embeds=1),
    Call("embedContent, embedContentConfig", partial(_embed_raw, "config"), embeds=1),
    Call("files", _files),
    Call("unknown file", _unknown_file),
    Call("unknown job", _unknown_job),
    Call("bad key", _bad_key),
)
