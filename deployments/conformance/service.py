"""A service behind the real SDK, with an ear on the wire."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
from google.genai import Client, errors, types

from deployments.conformance.record import Answer, Observation, Record
from deployments.conformance.shapes import merged, shape
from tasks.core.errors import BackfillError

Json = dict[str, Any]
BAD_KEY = "invalid-key-of-nobody"
TIMEOUT_MS = 120_000
_PATH = re.compile(r"((?:upload/|download/)?v1(?:beta)?/.*)")
_ID = re.compile(r"(files|batches)/[^/:]+")


class NoAnswerError(BackfillError):
    """The service could not be reached, or did not answer."""


class Service:
    """One side of the comparison."""

    def __init__(self, key: str, record: Record) -> None:
        self.record = record
        self._heard: list[Answer] = []
        self.sdk = self._client(key)
        self.sdk_with_bad_key = self._client(BAD_KEY)

    def observe(self, *calls: Callable[[], object]) -> Observation:
        """Return what came back while these calls were made, one after the other."""
        self._heard.clear()
        return Observation(sdk=[_outcome(call) for call in calls], answers=_pages(self._heard))

    def send(self, verb: str, path: str, body: Json | None = None) -> Json:
        """Return an answer as the product reads it: below the SDK's types."""
        response = self.sdk._api_client.request(verb, path, body or {})  # noqa: SLF001
        reply: Json = orjson.loads(response.body or "{}")
        return reply

    def every(self, plural: str, key: str) -> Iterator[Json]:
        """Yield all items of a listing that this round made."""
        token = ""
        while True:
            page = self.send("get", f"{plural}?pageSize=100" + (token and f"&pageToken={token}"))
            yield from (item for item in page.get(key, ()) if self._is_ours(key, item))
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _client(self, key: str) -> Client:
        options = types.HttpOptions(
            api_version="v1beta",
            base_url=self.record.url,
            timeout=TIMEOUT_MS,
            client_args={"event_hooks": {"response": [self._hear]}},
        )
        return Client(api_key=key, http_options=options)

    def _hear(self, response: httpx2.Response) -> None:
        heard = {"HTTP": [str(response.status_code)]}
        for header in ("content-type", "x-goog-upload-status"):
            if header in response.headers:
                heard[header] = [response.headers[header].partition(";")[0]]
        body = shape(self._own_part(orjson.loads(raw))) if _is_json(raw := response.read()) else {}
        self._heard.append(Answer(call=_named(response.request), shape=heard | body))

    def _own_part(self, body: object) -> object:
        """Return a listing without what others made, and without how long it is."""
        if not isinstance(body, dict):
            return body
        found = dict(body)
        for key in ("operations", "files", "models"):
            if isinstance(found.get(key), list):
                found[key] = [item for item in found[key] if self._is_ours(key, item)]
                found.pop("nextPageToken", None)
        return found

    def _is_ours(self, key: str, item: Json) -> bool:
        if key == "models":
            asked = {self.record.model, self.record.embedding_model}
            return str(item.get("name")).removeprefix("models/") in asked
        name = item.get("metadata", item).get("displayName")
        return str(name).startswith(self.record.prefix)


def _outcome(call: Callable[[], object]) -> str:
    """Return what the SDK makes of a call; raise NoAnswerError where nothing came back."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK warns of states that it does not know
            return type(call()).__name__
    except errors.APIError as error:
        return f"{type(error).__name__} {error.code}"
    except httpx2.HTTPError as error:
        raise NoAnswerError(
            f"The service gave no answer ({type(error).__name__}): run the same command again,"
            " which goes on where this one stopped."
        ) from None
    except (ValueError, KeyError) as error:
        return type(error).__name__


def _named(request: httpx2.Request) -> str:
    found = _PATH.search(request.url.path)
    path = _ID.sub(r"\1/…", found[1] if found else request.url.path)
    return f"{request.method} {path}"


def _is_json(raw: bytes) -> bool:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


def _pages(heard: list[Answer]) -> list[Answer]:
    """Return answers with the pages of one listing taken together."""
    found: list[Answer] = []
    for answer in heard:
        if found and answer.call.startswith("GET") and found[-1].call == answer.call:
            both = merged(found[-1].shape, answer.shape)
            found[-1] = Answer(call=answer.call, shape=both)
        else:
            found.append(answer)
    return found
