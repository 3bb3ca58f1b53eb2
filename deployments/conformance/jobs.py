"""The tiny batch jobs, and what becomes of each."""

from dataclasses import dataclass

import orjson

from deployments.conformance.calls import MOST_OUTPUT, embed_body, generate_body, upload
from deployments.conformance.record import Observation
from deployments.conformance.service import Json, Service

FIRST = "good"
"""The job whose output is also looked at while it is deleted."""
CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """One batch job: its lines, and whether they ask for vectors."""

    name: str
    lines: tuple[bytes, ...]
    embeds: bool = False


def _lines(**requests: Json) -> tuple[bytes, ...]:
    return tuple(
        orjson.dumps({"key": key, "request": request}) for key, request in requests.items()
    )


_PLAIN: Json = {
    "contents": generate_body({})["contents"],
    "generationConfig": {"maxOutputTokens": MOST_OUTPUT},
}
JOBS: tuple[Job, ...] = (
    Job(FIRST, _lines(json=generate_body({}), plain=_PLAIN)),
    Job(
        "lines in error",
        _lines(
            good=generate_body({}),
            hot=generate_body({"temperature": 99}),
            thinking=generate_body(
                {"thinkingConfig": {"thinkingBudget": 0, "thinkingLevel": "LOW"}}
            ),
        ),
    ),
    Job("vectors, old form", _lines(a=embed_body("old"), b=embed_body("old")), embeds=True),
    Job(
        "vectors, embedContentConfig",
        _lines(a=embed_body("config"), b=embed_body("config")),
        embeds=True,
    ),
    Job(CANCELLED, _lines(a=generate_body({}), b=generate_body({}))),
    Job(
        "malformed",
        (
            *_lines(a=generate_body({})),
            b'{"key": "b", "request": {',
            *_lines(c=generate_body({"noSuchField": 1})),
        ),
    ),
)


def display_name(it: Service, job: Job) -> str:
    """Return the name by which a job is found again."""
    return f"{it.record.prefix}{job.name}"


def create(it: Service, job: Job) -> tuple[Observation, str | None]:
    """Create a job, in one attempt; return what was answered, and the job's name if it has one."""
    file = upload(it, job.name, b"\n".join(job.lines))
    replies: list[str] = []
    way = _create_vectors if job.embeds else _create_answers
    seen = it.observe(lambda: replies.append(way(it, file, display_name(it, job))))
    return seen, replies[0] if replies else None


def _create_answers(it: Service, file: str, name: str) -> str:
    job = it.sdk.batches.create(model=it.record.model, src=file, config={"display_name": name})
    return str(job.name)


def _create_vectors(it: Service, file: str, name: str) -> str:
    batch = {"inputConfig": {"fileName": file}, "displayName": name}
    path = f"models/{it.record.embedding_model}:asyncBatchEmbedContent"
    return str(it.send("post", path, {"batch": batch})["name"])


def find(it: Service, job: Job) -> str | None:
    """Return the job that an interrupted round made, if it did."""
    wanted = display_name(it, job)
    return next(
        (
            str(operation["name"])
            for operation in it.every("batches", "operations")
            if operation.get("metadata", {}).get("displayName") == wanted
        ),
        None,
    )
