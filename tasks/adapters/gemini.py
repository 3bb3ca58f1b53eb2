"""The Gemini API through the google-genai SDK: files, batch jobs, counting, single answers.

Creating a batch job is not idempotent and has no request id, so `create_job` is sent exactly once
and every doubt is an AmbiguousError. All other calls can be repeated, and are.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from google.genai import Client, errors, types
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from tasks.adapters.settings import settings
from tasks.core.errors import (
    AccessError,
    AmbiguousError,
    InputFileGoneError,
    JobLostError,
    ModelApiError,
    ModelGoneError,
    NoReplyError,
    QuotaError,
    RejectedError,
    RejectedLinesError,
    TooLargeError,
)
from tasks.core.models import BatchJob, UploadedFile
from tasks.core.refusals import (
    about_access,
    is_about_size,
    is_daily,
    named_lines,
    retry_after,
    without_key,
)

FILE_LIFE = timedelta(hours=48)
_LIST_PAGE = 100

_again = retry(
    retry=retry_if_exception_type((AmbiguousError, QuotaError)),
    wait=wait_random_exponential(multiplier=0.5, max=20),
    stop=stop_after_delay(120),
    reraise=True,
)
"""For calls that can be repeated: short outages end within two minutes or become the task's."""


class Gemini:
    """The service as the engine needs it; raises only ModelApiError and its children."""

    def __init__(self, api_key: str, base_url: str | None, timeout_seconds: float) -> None:
        options = types.HttpOptions(
            # Batch jobs are documented for v1beta only; the SDK's default is v1.
            api_version="v1beta",
            base_url=base_url,
            timeout=int(timeout_seconds * 1000),
        )
        self._client = Client(api_key=api_key, http_options=options)

    def upload(self, path: Path, display_name: str) -> UploadedFile:
        """Return the uploaded request file; a broken upload starts again from the beginning."""
        with _translated():
            config = types.UploadFileConfig(
                display_name=display_name, mime_type="application/jsonl"
            )
            file = self._client.files.upload(file=str(path), config=config)
        expires = file.expiration_time or datetime.now(UTC) + FILE_LIFE
        return UploadedFile(name=str(file.name), expires_at=expires)

    def create_job(self, model: str, file_name: str, display_name: str) -> BatchJob:
        """Create a batch job, sent exactly once; raise AmbiguousError when nobody knows."""
        with _translated(lambda error, text: _refused_job(error, text, model, file_name)):
            job = self._client.batches.create(
                model=model,
                src=file_name,
                # Never a system instruction here: it would override the one in every line.
                config=types.CreateBatchJobConfig(display_name=display_name),
            )
        return BatchJob(
            name=str(job.name),
            display_name=display_name,
            state=_state(job.state),
            create_time=job.create_time,
        )

    def create_embedding_job(self, model: str, file_name: str, display_name: str) -> BatchJob:
        """Create a batch job for vectors, sent exactly once as `create_job` does."""
        batch = {"inputConfig": {"fileName": file_name}, "displayName": display_name}
        with _translated(lambda error, text: _refused_job(error, text, model, file_name)):
            operation = self._send(f"models/{model}:asyncBatchEmbedContent", {"batch": batch})
        return _job(operation)

    def generate(self, model: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the reply to one request, sent once; a QuotaError says when to come again."""
        return self._ask(model, "generateContent", body)

    def embed(self, model: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the service's vector for one text, as `generate` does."""
        return self._ask(model, "embedContent", body)

    @_again
    def get_job(self, name: str) -> BatchJob:
        """Return a job with its cause of failure; raise JobLostError when it cannot be seen."""
        try:
            return _job(self._get(name))
        except RejectedError as error:
            message = (
                f"{name} cannot be seen with this API key ({error})."
                " If the key was changed, use the one of the project that created the job."
            )
            raise JobLostError(message) from error

    def find_jobs(self, display_name: str) -> list[BatchJob]:
        """Return all jobs of that display name, oldest first, from ALL pages of the listing."""
        found = [job for job in self.list_jobs() if job.display_name == display_name]
        return sorted(found, key=lambda job: job.create_time or datetime.max.replace(tzinfo=UTC))

    def list_jobs(self) -> Iterator[BatchJob]:
        """Yield every job of the key's project.

        Read below the SDK's types: one odd job makes them refuse a whole page.
        """
        token = ""
        while True:
            page = self._get(
                f"batches?pageSize={_LIST_PAGE}" + (f"&pageToken={token}" if token else "")
            )
            yield from (_job(operation) for operation in page.get("operations", ()))
            token = page.get("nextPageToken", "")
            if not token:
                return

    def list_files(self) -> Iterator[dict[str, Any]]:
        """Yield every uploaded file of the key's project, as the service describes it."""
        token = ""
        while True:
            page = self._get(
                f"files?pageSize={_LIST_PAGE}" + (f"&pageToken={token}" if token else "")
            )
            yield from page.get("files", ())
            token = page.get("nextPageToken", "")
            if not token:
                return

    @_again
    def cancel_job(self, name: str) -> None:
        """Ask the service to stop a job."""
        with _translated():
            self._client.batches.cancel(name=name)

    @_again
    def delete_job(self, name: str) -> None:
        """Delete a finished job and, with it, its output; a job that is gone already is fine."""
        self._forget(lambda: self._client.batches.delete(name=name))

    @_again
    def delete_file(self, name: str) -> None:
        """Delete an uploaded file; one that is gone already is fine."""
        self._forget(lambda: self._client.files.delete(name=name))

    def download(self, file_name: str, destination: Path) -> None:
        """Stream a job's output to a file; what is there after an error is not to be trusted."""
        with _translated():
            self._client.files.download(file=file_name, destination=str(destination))

    @_again
    def count_tokens(self, model: str, text: str) -> int:
        """Return how many tokens the model sees in a text."""
        with _translated():
            return self._client.models.count_tokens(model=model, contents=text).total_tokens or 0

    @_again
    def check_model(self, model: str) -> None:
        """Raise RejectedError with the service's words when model or key are not accepted."""
        with _translated():
            self._client.models.get(model=model)

    @_again
    def _get(self, path: str) -> dict[str, Any]:
        with _translated():
            # The SDK's typed job drops the cause of failure and the counts (google-genai 3.6.1).
            response = self._client._api_client.request("get", path, {})  # noqa: SLF001
            body: dict[str, Any] = json.loads(response.body or "{}")
        return body

    def _ask(self, model: str, method: str, body: Mapping[str, object]) -> dict[str, Any]:
        with _translated(lambda error, text: _refused_request(error, text, model)):
            return self._send(f"models/{model}:{method}", body)

    def _send(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        # Below the SDK's types: what answers mean is read by our own code, for both transports.
        response = self._client._api_client.request("post", path, dict(body))  # noqa: SLF001
        reply: dict[str, Any] = json.loads(response.body or "{}")
        return reply

    def _forget(self, delete: Callable[[], object]) -> None:
        try:
            with _translated():
                delete()
        except RejectedError:
            return


@cache
def gemini() -> Gemini:
    """Return the process's client."""
    here = settings()
    return Gemini(here.require_api_key(), here.gemini_url, here.http_timeout_seconds)


def _refused(error: errors.APIError, text: str) -> RejectedError:
    if denied := about_access(error.code, error.details, text):
        return AccessError(denied)
    return RejectedError(f"The Gemini API refused ({text}).")


@contextmanager
def _translated(
    refused: Callable[[errors.APIError, str], ModelApiError] = _refused,
) -> Iterator[None]:
    """Turn what the SDK raises into what it means for the caller; `refused` reads a clear no."""
    try:
        yield
    except errors.APIError as error:
        raise _meaning(error, refused) from error
    except (httpx2.HTTPError, json.JSONDecodeError, KeyError, ValueError) as error:
        # KeyError and ValueError: an upload's reply without its headers or its file.
        message = f"No usable reply from the Gemini API ({type(error).__name__}: {error})."
        raise NoReplyError(message) from error


def _meaning(
    error: errors.APIError, refused: Callable[[errors.APIError, str], ModelApiError]
) -> ModelApiError:
    text = without_key(f"{error.code} {error.status or ''}: {error.message or ''}".strip())
    if error.code == httpx2.codes.TOO_MANY_REQUESTS:
        return _quota(error, text)
    if (
        error.code in (None, httpx2.codes.REQUEST_TIMEOUT)
        or error.code >= httpx2.codes.INTERNAL_SERVER_ERROR
    ):
        return AmbiguousError(f"The Gemini API is in trouble ({text}).")
    return refused(error, text)


def _quota(error: errors.APIError, text: str) -> QuotaError:
    quota = QuotaError(f"The Gemini API has no quota left for this ({text}).")
    quota.retry_after, quota.daily = retry_after(error.details), is_daily(error.details)
    return quota


def _refused_job(error: errors.APIError, text: str, model: str, input_file: str) -> ModelApiError:
    """Return what a refused creation means: for the file, its lines, its size, the model."""
    if lines := named_lines(error.message or ""):
        return RejectedLinesError(f"The Gemini API refused a job for its lines ({text}).", lines)
    if is_about_size(error.code, error.message or ""):
        return TooLargeError(f"The Gemini API refused a job for its size ({text}).")
    if error.code in (403, 404) and "file" in text.lower():
        return InputFileGoneError(f"The uploaded {input_file} is not usable any more ({text}).")
    return _refused_request(error, text, model)


def _refused_request(error: errors.APIError, text: str, model: str) -> RejectedError:
    """Return what a refusal means for the model and the key, where no file is concerned."""
    if error.code != httpx2.codes.NOT_FOUND:
        return _refused(error, text)
    gone = ModelGoneError(f"The model '{model}' cannot be used ({text}).")
    gone.model = model
    return gone


def _job(operation: dict[str, Any]) -> BatchJob:
    metadata = operation.get("metadata", {})
    output = metadata.get("output") or operation.get("response") or {}
    failure = operation.get("error") or {}
    return BatchJob(
        name=operation.get("name") or metadata.get("name", ""),
        display_name=metadata.get("displayName"),
        state=_state(metadata.get("state")),
        model=str(metadata.get("model", "")).removeprefix("models/"),
        create_time=metadata.get("createTime"),
        output_file=output.get("responsesFile"),
        error=f"{failure.get('code')}: {failure.get('message')}" if failure else None,
        stats=metadata.get("batchStats", {}),
    )


def _state(state: object) -> str:
    """Return SUCCEEDED for JOB_STATE_SUCCEEDED, BATCH_STATE_SUCCEEDED and their enum members."""
    name = str(getattr(state, "value", state) or "UNSPECIFIED")
    return name.removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
