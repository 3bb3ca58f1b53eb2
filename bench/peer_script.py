"""What a user writes after the guide: one file, one job, wait, download, insert. A peer."""

import json
import os
import time
from pathlib import Path

import psycopg
from google import genai
from google.genai import types

from tasks.adapters import site
from tasks.adapters.reference import models
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.asking import generation_config
from tasks.core.requests import response_schema

INSERT = """
insert into passage_concepts
    (passage_id, concept_name, concept_type, aliases, confidence, extractor_model,
    extractor_version, evidence)
values (%s, %s, %s, %s, %s, %s, 'script', %s)
on conflict do nothing
"""


def request(text: str) -> dict[str, object]:
    """Return one request, with everything in it."""
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "systemInstruction": {"parts": [{"text": site.prompt(BACKFILL)}]},
        "generationConfig": generation_config(
            BACKFILL, models().find(BACKFILL.model), response_schema(BACKFILL.answer_model)
        ),
    }


def main() -> None:
    """Ask every passage, once."""
    url = os.environ["BACKFILL_DATABASE_URL"]
    options = types.HttpOptions(api_version="v1beta", base_url=os.environ["BACKFILL_GEMINI_URL"])
    client = genai.Client(api_key=os.environ["GEMINI_API_KEY"], http_options=options)
    path = Path(os.environ["BACKFILL_WORK_DIR"]) / "requests.jsonl"
    with psycopg.connect(url) as connection:
        rows = "select passage_id::text, passage_text from passages"
        passages = connection.execute(rows).fetchall()
    with path.open("w", encoding="utf-8") as file:
        for key, text in passages:
            file.write(json.dumps({"key": key, "request": request(text)}) + "\n")
    upload = types.UploadFileConfig(display_name="passages", mime_type="application/jsonl")
    uploaded = client.files.upload(file=path, config=upload)
    job = client.batches.create(
        model=BACKFILL.model, src=str(uploaded.name), config={"display_name": "passages"}
    )
    while job.state is None or job.state.name not in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"):
        time.sleep(0.5)
        job = client.batches.get(name=str(job.name))
    content = client.files.download(file=str(job.dest.file_name if job.dest else None))
    with psycopg.connect(url) as connection:
        for line in content.splitlines():
            insert(connection, json.loads(line))


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
