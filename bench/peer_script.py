"""What a user writes after the guide: one file, one job, wait, download, insert. A peer."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

import psycopg
from google import genai
from google.genai import types

from tasks.adapters import site
from tasks.adapters.reference import models
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.asking import generation_config
from tasks.core.backfill import Backfill
from tasks.core.requests import response_schema

INSERT = """
insert into passage_concepts
    (passage_id, concept_name, concept_type, aliases, confidence, extractor_model,
    extractor_version, evidence)
values (%s, %s, %s, %s, %s, %s, 'script', %s)
on conflict do nothing
"""


def request(backfill: Backfill, text: str) -> dict[str, object]:
    """Return one request, with everything in it."""
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "systemInstruction": {"parts": [{"text": site.prompt(backfill)}]},
        "generationConfig": generation_config(
            backfill, models().find(backfill.model), response_schema(backfill.answer_model)
        ),
        **({"tools": list(backfill.tools)} if backfill.tools else {}),
    }


def main() -> None:
    """Ask every passage, once."""
    url = os.environ["BACKFILL_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        rows = "select passage_id::text, passage_text from passages"
        passages = connection.execute(rows).fetchall()
    content = asked(BACKFILL, passages)
    with psycopg.connect(url) as connection:
        for line in content.splitlines():
            insert(connection, json.loads(line))


def asked(backfill: Backfill, texts: Iterable[tuple[str, str]]) -> bytes:
    """Return the output of one job that asks every text."""
    options = types.HttpOptions(api_version="v1beta", base_url=os.environ["BACKFILL_GEMINI_URL"])
    client = genai.Client(api_key=os.environ["GEMINI_API_KEY"], http_options=options)
    path = Path(os.environ["BACKFILL_WORK_DIR"]) / "requests.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for key, text in texts:
            file.write(json.dumps({"key": key, "request": request(backfill, text)}) + "\n")
    upload = types.UploadFileConfig(display_name="rows", mime_type="application/jsonl")
    uploaded = client.files.upload(file=path, config=upload)
    job = client.batches.create(
        model=backfill.model, src=str(uploaded.name), config={"display_name": "rows"}
    )
    while job.state is None or job.state.name not in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"):
        time.sleep(0.5)
        job = client.batches.get(name=str(job.name))
    return client.files.download(file=str(job.dest.file_name if job.dest else None))


def insert(connection: psycopg.Connection, reply: dict) -> None:  # type: ignore[type-arg]
    """Insert the concepts of one reply; say so if it cannot be read."""
    try:
        text = reply["response"]["candidates"][0]["content"]["parts"][0]["text"]
        concepts = json.loads(text)["concepts"]
    except (KeyError, json.JSONDecodeError) as error:
        print(f"skipping {reply.get('key')}: {error}")
        return
    rows = [
        (
            reply["key"],
            each["name"],
            each["type"],
            json.dumps(each.get("aliases", [])),
            each.get("confidence"),
            BACKFILL.model,
            json.dumps({"quotes": each.get("quotes", [])}),
        )
        for each in concepts
    ]
    connection.cursor().executemany(INSERT, rows)


if __name__ == "__main__":
    main()
