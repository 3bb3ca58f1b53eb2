"""Calls that answer at once: generate, embed, count tokens, and the list of models."""

from hashlib import sha256
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from deployments.local.emulator import embeddings, models, tokens
from deployments.local.emulator.access import answering, model_of
from deployments.local.emulator.asked import texts
from deployments.local.emulator.http import body_of
from deployments.local.emulator.linework import Answerer
from deployments.local.emulator.replies import ApiError, answer, of_line, online_quota
from deployments.local.emulator.reply import Usage, response_of, usage_of
from deployments.local.emulator.service import Service
from deployments.local.emulator.shapes import ShapeError, message
from deployments.local.emulator.spelling import get

Json = dict[str, Any]


def _fitting(body: Json, shape: str) -> Json:
    try:
        message(shape)(body)
    except ShapeError as error:
        raise ApiError(400, f"Invalid JSON payload received. {error}") from None
    return body


def _rate(service: Service, model: str, requests: int) -> None:
    limit = service.store.setting("requests_per_minute")
    if limit is None:
        return
    now = service.store.now()
    row = service.store.one("online_since", since_time=now - 60, model=model)
    if row is not None and row["total"] + requests > int(limit):
        raise online_quota(int(limit), model, 60.0)


def _record(service: Service, method: str, model: str, requests: int, usage: Usage) -> None:
    service.store.run(
        "add_online",
        at_time=service.store.now(),
        call_method=method,
        model=model,
        requests=requests,
        input_tokens=usage.input,
        output_tokens=usage.output,
        thought_tokens=usage.thought,
    )
    if usage.searches:
        service.store.run("add_searches", job=0, model=model, queries=usage.searches)


def _ask(service: Service, text: str, body: Json, *, usable: bool) -> None:
    path = service.store.directory / "online.jsonl"
    raw = orjson.dumps({"request": body}, option=orjson.OPT_APPEND_NEWLINE)
    with path.open("ab") as file:
        start = file.tell()
        file.write(raw)
    service.store.run(
        "add_ask", ask_key=online_key(text), job=0, offset_at=start, bytes=len(raw), ok=usable
    )


def online_key(text: str) -> str:
    """Return the key under which an online request is counted: a digest of its text."""
    return f"text:{sha256(text.encode(errors='replace')).hexdigest()[:16]}"


async def generate(service: Service, request: Request) -> Response:
    """Answer generateContent."""
    body = _fitting(await body_of(request), "GenerateContentRequest")
    model = answering(service, model_of(service, request, "generateContent"))
    if not body.get("contents"):
        raise ApiError(400, "* GenerateContentRequest.contents: contents is not specified")
    _rate(service, model.name, 1)
    answerer = Answerer(service.store)
    key = online_key(texts(body["contents"]))
    before = len(service.store.all("asks_of", ask_key=key))
    reply = answerer.reply(key, body, model, before)
    for fault in answerer.faults:
        if fault.fired:
            service.store.run("fire", id=fault.id, hits=fault.fired)
    usage = usage_of(reply)
    _ask(service, texts(body["contents"]), body, usable=reply.usable)
    _record(service, "generateContent", model.name, 1, usage)
    if reply.error:
        raise of_line(reply.error)
    return answer(response_of(reply, usage))


async def embed(service: Service, request: Request) -> Response:
    """Answer embedContent."""
    body = _fitting(await body_of(request), "EmbedContentRequest")
    [embedding] = _embeddings(service, request, [body])
    return answer({"embedding": embedding})


async def embed_batch(service: Service, request: Request) -> Response:
    """Answer batchEmbedContents: one vector per request."""
    requests = (await body_of(request)).get("requests") or []
    bodies = [_fitting(body, "EmbedContentRequest") for body in requests]
    if not bodies:
        raise ApiError(400, "* BatchEmbedContentsRequest.requests: at least one is needed")
    return answer({"embeddings": _embeddings(service, request, bodies)})


def _embeddings(service: Service, request: Request, bodies: list[Json]) -> list[Json]:
    model = model_of(service, request, "embedContent")
    _rate(service, model.name, len(bodies))
    answers = [_embedding(body, model) for body in bodies]
    for body in bodies:
        _ask(service, texts(body["content"]), body, usable=True)
    usage = Usage(sum(int(one["tokenCount"]) for one in answers), 0, 0)
    _record(service, "embedContent", model.name, len(bodies), usage)
    return [dict(one["embedding"]) for one in answers]


def _embedding(body: Json, model: models.Model) -> Json:
    if not texts(body.get("content")):
        raise ApiError(400, "* EmbedContentRequest.content: content is empty")
    try:
        return embeddings.response(body, model)
    except embeddings.RefusedError as refused:
        raise ApiError(400, str(refused)) from None


async def count_tokens(service: Service, request: Request) -> Response:
    """Answer countTokens: the estimate that usageMetadata uses too."""
    body = await body_of(request)
    model_of(service, request, "countTokens")
    asked = get(body, "generateContentRequest") or {"contents": body.get("contents")}
    _fitting({k: v for k, v in asked.items() if v is not None}, "GenerateContentRequest")
    count = tokens.of_request(asked)
    return answer({"totalTokens": count, "promptTokensDetails": tokens.detail(count)})


async def get_model(service: Service, request: Request) -> Response:
    """Answer models.get."""
    return answer(model_of(service, request).resource)


async def list_models(service: Service, request: Request) -> Response:
    """Answer models.list, on one page."""
    del service, request
    return answer({"models": [model.resource for model in models.KNOWN.values()]})
