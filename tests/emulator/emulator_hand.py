"""A hand that plays the client of an emulator, by HTTP and by the real SDK."""

import time
import warnings
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any

import httpx
import orjson
from google import genai
from google.genai import errors, types

from deployments.local.emulator.serve import Address

Json = dict[str, Any]
KEY = {"x-goog-api-key": "a-key"}
MODEL = "gemini-3.1-flash-lite"
TEXT = (
    "Gradient descent finds a minimum of a smooth function by taking small steps against the "
    "slope. With momentum the steps remember where they came from, which carries them over flat "
    "stretches. A learning rate that is too large makes the walk diverge; one that is too small "
    "makes it slow."
)
SCHEMA: Json = {
    "type": "OBJECT",
    "properties": {
        "concepts": {
            "type": "ARRAY",
            "items": {
                "type": "OBJECT",
                "properties": {
                    "name": {"type": "STRING"},
                    "type": {"type": "STRING", "enum": ["method", "model", "dataset"]},
                    "aliases": {"type": "ARRAY", "items": {"type": "STRING"}},
                    "confidence": {"type": "NUMBER"},
                    "quotes": {"type": "ARRAY", "items": {"type": "STRING"}},
                },
                "required": ["name", "type", "quotes"],
            },
        }
    },
    "required": ["concepts"],
}


def request(text: str = TEXT, **config: object) -> Json:
    """Return a generate request with a schema."""
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "systemInstruction": {"parts": [{"text": "Name the concepts."}]},
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": SCHEMA,
        }
        | config,
    }


def line(key: str, text: str = TEXT, **config: object) -> Json:
    """Return an input line."""
    return {"key": key, "request": request(f"{text} ({key})", **config)}


def lines(count: int) -> list[Json]:
    """Return input lines with keys k0, k1, and so on."""
    return [line(f"k{index}") for index in range(count)]


def text_of(output: Json) -> str:
    """Return the text of an output line's first candidate."""
    return str(output["response"]["candidates"][0]["content"]["parts"][0]["text"])


class Hand:
    """A client of one emulator, by plain HTTP."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.http = httpx.Client(
            base_url=address.base_url, headers=KEY, timeout=30, trust_env=False
        )

    def sdk(self, version: str = "v1beta", key: str = "a-key", prefix: str = "") -> genai.Client:
        options: Json = {
            "base_url": self.address.base_url + prefix,
            "api_version": version,
            "timeout": 30_000,
        }
        return genai.Client(api_key=key, http_options=options)

    @cached_property
    def client(self) -> genai.Client:
        """Return the SDK's client; one that nobody holds closes itself."""
        return self.sdk()

    def ask(
        self, model: str = MODEL, contents: str = TEXT, **config: object
    ) -> types.GenerateContentResponse:
        """Return what the SDK gets for an online request."""
        return self.client.models.generate_content(model=model, contents=contents, config=config)

    def refusal(
        self, model: str = MODEL, contents: str = TEXT, **config: object
    ) -> errors.ClientError:
        """Return the error that the SDK raises for an online request."""
        try:
            answer = self.ask(model, contents, **config)
        except errors.ClientError as error:
            return error
        raise AssertionError(f"{model} was not refused: {answer}")

    def answers(self, model: str, *asked: Json, embed: bool = False) -> list[Json]:
        """Return the output lines of a job that the SDK makes of requests k0, k1, and so on."""
        client = self.client
        raw = [orjson.dumps({"key": f"k{at}", "request": one}) for at, one in enumerate(asked)]
        config = {"mime_type": "application/jsonl"}
        file = client.files.upload(file=BytesIO(b"\n".join(raw)), config=config)
        create = self.create_embeddings if embed else client.batches.create
        job = create(model=model, src=file.name)
        assert self.wait(job.name)["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
        output = client.files.download(file=client.batches.get(name=job.name).dest.file_name)
        return sorted(map(orjson.loads, output.splitlines()), key=lambda one: str(one["key"]))

    def create_embeddings(self, model: str, src: str) -> types.BatchJob:
        """Return an embedding job over a file."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK calls this experimental
            return self.client.batches.create_embeddings(
                model=model, src=types.EmbeddingsBatchJobSource(file_name=src)
            )

    def set_date(self, day: str) -> None:
        """Put the emulator's clock to the noon of a day."""
        wanted = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
        self.switch("clock", advance_seconds=wanted - self.own("clock")["now"])

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(f"/v1beta/{path}", headers=headers)

    def post(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        return self.http.post(f"/v1beta/{path}", json=body, headers=headers)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.http.delete(f"/v1beta/{path}", headers=headers)

    def own(self, path: str, **query: str | float) -> Json:
        """Return what an admin GET answers."""
        return dict(self.http.get(f"/_emulator/{path}", params=query).raise_for_status().json())

    def switch(self, path: str, **body: object) -> Json:
        """Return what an admin POST answers."""
        return dict(self.http.post(f"/_emulator/{path}", json=body).raise_for_status().json())

    def fault(self, kind: str, **body: object) -> None:
        """Switch a fault on."""
        self.switch("faults", kind=kind, **body)

    def start_upload(self, size: int, **file: object) -> str:
        """Return the upload address of a new upload."""
        headers = {
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size),
        }
        body = {"file": {"mime_type": "application/jsonl"} | file}
        answer = self.http.post("/upload/v1beta/files", json=body, headers=headers)
        return str(answer.raise_for_status().headers["x-goog-upload-url"])

    def send(
        self, url: str, content: bytes, offset: int = 0, command: str = "upload, finalize"
    ) -> httpx.Response:
        """Send one chunk."""
        headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
        return self.http.post(url, content=content, headers=headers)

    def upload(self, content: list[Json] | bytes, **file: object) -> str:
        """Return the name of an uploaded file of lines or bytes."""
        raw = content if isinstance(content, bytes) else b"\n".join(map(orjson.dumps, content))
        answer = self.send(self.start_upload(len(raw), **file), raw)
        return str(answer.raise_for_status().json()["file"]["name"])

    def create(self, file: str, name: str = "job", model: str = MODEL) -> httpx.Response:
        """Create a job from a file."""
        body = {"batch": {"displayName": name, "inputConfig": {"fileName": file}}}
        return self.post(f"models/{model}:batchGenerateContent", body)

    def job(self, content: list[Json] | bytes, name: str = "job") -> str:
        """Return the name of a job over lines."""
        return str(self.create(self.upload(content), name).raise_for_status().json()["name"])

    def wait(self, name: str, *states: str) -> Json:
        """Return a job once it is done, or shows one of some states."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            job = self.get(name).raise_for_status().json()
            if job.get("done") or job["metadata"]["state"] in states:
                return dict(job)
            time.sleep(0.02)
        raise AssertionError(f"{name} did not end: {job}")

    def raw_output(self, name: str) -> bytes:
        """Return a finished job's output."""
        job = self.wait(name)
        file = job["metadata"]["output"]["responsesFile"]
        url = f"/download/v1beta/{file}:download?alt=media"
        return self.http.get(url).raise_for_status().content

    def output(self, content: list[Json], name: str = "job") -> list[Json]:
        """Return the output lines of a job over lines."""
        raw = self.raw_output(self.job(content, name))
        return [orjson.loads(one) for one in raw.splitlines() if one.strip()]


def quick(hand: Hand) -> Hand:
    """Return a hand whose emulator is quick and free of everyday trouble."""
    hand.switch("settings", run_seconds=0.0, trouble=0.0)
    return hand
