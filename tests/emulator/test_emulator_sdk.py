import asyncio
import time
import warnings
from pathlib import Path

import orjson
import pytest
from emulator_hand import MODEL, SCHEMA, TEXT, Hand, line
from google import genai
from google.genai import errors, types

VERSIONS = ["v1", "v1beta"]
JSONL = {"mime_type": "application/jsonl", "display_name": "in"}


def finished(client: genai.Client, name: str) -> types.BatchJob:
    for _ in range(500):
        job = client.batches.get(name=name)
        if job.done:
            return job
        time.sleep(0.02)
    raise AssertionError(f"{name} did not end")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("prefix", ["", "/some/gateway"])
def test_a_batch_travels_through_the_sdk(
    hand: Hand, input_path: Path, tmp_path: Path, version: str, prefix: str
) -> None:
    client = hand.sdk(version, prefix=prefix)
    file = client.files.upload(file=str(input_path), config=JSONL)

    job = client.batches.create(model=MODEL, src=file.name, config={"display_name": "sdk"})
    job = finished(client, job.name)

    target = tmp_path / "out.jsonl"
    client.files.download(file=job.dest.file_name, destination=str(target))
    keys = {orjson.loads(raw)["key"] for raw in target.read_bytes().splitlines()}
    assert keys == {"k0", "k1", "k2"}
    assert [one.name for one in client.batches.list()] == [job.name]
    assert job.display_name == "sdk"
    client.batches.delete(name=job.name)
    client.files.delete(name=file.name)
    assert list(client.files.list()) == []
    with pytest.raises(errors.ClientError, match="404"):
        client.batches.get(name=job.name)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_travels_through_the_async_sdk(
    hand: Hand, input_path: Path, tmp_path: Path, version: str
) -> None:
    target = tmp_path / "out.jsonl"

    async def travel() -> list[str]:
        client = hand.sdk(version).aio
        file = await client.files.upload(file=str(input_path), config=JSONL)
        job = await client.batches.create(model=MODEL, src=file.name)
        while not job.done:
            job = await client.batches.get(name=job.name)
        await client.files.download(file=job.dest.file_name, destination=str(target))
        listed = [one.name async for one in await client.batches.list(config={"page_size": 1})]
        await client.batches.delete(name=job.name)
        await client.aclose()
        return listed

    listed = asyncio.run(travel())

    assert len(listed) == 1
    assert len(target.read_bytes().splitlines()) == 3


def test_an_upload_of_several_chunks_arrives_whole(hand: Hand, tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(line(f"k{i}", "word " * 300_000)) for i in range(12)))
    client = hand.sdk()

    file = client.files.upload(file=str(path), config=JSONL)

    job = client.batches.create(model=MODEL, src=file.name)
    assert file.size_bytes == path.stat().st_size > 2 * 8 * 1024 * 1024
    assert finished(client, job.name).state == types.JobState.JOB_STATE_SUCCEEDED


def test_an_inline_batch_travels_through_the_sdk(hand: Hand) -> None:
    client = hand.sdk()
    config = types.GenerateContentConfig(
        system_instruction="Name the concepts.",
        response_mime_type="application/json",
        response_schema=SCHEMA,
    )
    asked = types.InlinedRequest(
        contents=[types.Content(role="user", parts=[types.Part(text=TEXT)])],
        metadata={"key": "one"},
        config=config,
    )

    job = client.batches.create(model=MODEL, src=[asked])

    [answer] = finished(client, job.name).dest.inlined_responses
    assert answer.metadata == {"key": "one"}
    assert orjson.loads(answer.response.text)["concepts"]


def test_an_embedding_batch_travels_through_the_sdk(hand: Hand) -> None:
    client = hand.sdk()
    source = types.EmbeddingsBatchJobSource(
        inlined_requests=types.EmbedContentBatch(
            contents=["one", "two"], config={"output_dimensionality": 16}
        )
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = client.batches.create_embeddings(model="gemini-embedding-001", src=source)

    answers = finished(client, job.name).dest.inlined_embed_content_responses
    assert [len(answer.response.embedding.values) for answer in answers] == [16, 16]


def test_a_cancelled_batch_is_done_for_the_sdk(hand: Hand, input_path: Path) -> None:
    hand.switch("settings", run_seconds=60)
    client = hand.sdk()
    file = client.files.upload(file=str(input_path), config=JSONL)
    job = client.batches.create(model=MODEL, src=file.name)

    client.batches.cancel(name=job.name)

    assert finished(client, job.name).state == types.JobState.JOB_STATE_CANCELLED


@pytest.mark.parametrize("version", VERSIONS)
def test_online_calls_answer_the_sdk(hand: Hand, version: str) -> None:
    client = hand.sdk(version)
    config = {"response_mime_type": "application/json", "response_schema": SCHEMA}

    answer = client.models.generate_content(model=MODEL, contents=TEXT, config=config)
    counted = client.models.count_tokens(model=MODEL, contents=TEXT)
    vectors = client.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 768}
    )

    assert answer.parsed["concepts"]
    assert answer.usage_metadata.prompt_token_count == counted.total_tokens
    assert [len(one.values) for one in vectors.embeddings] == [768, 768]


def test_online_calls_answer_the_async_sdk(hand: Hand) -> None:
    async def ask() -> tuple[str, int]:
        client = hand.sdk().aio
        answer = await client.models.generate_content(model=MODEL, contents=TEXT)
        counted = await client.models.count_tokens(model=MODEL, contents=TEXT)
        await client.aclose()
        return answer.text, counted.total_tokens

    text, count = asyncio.run(ask())

    assert text
    assert count == (len(TEXT) + 3) // 4


def test_an_invalid_key_is_a_client_error_400(hand: Hand) -> None:
    client = hand.sdk(key="invalid")

    with pytest.raises(errors.ClientError, match="API key not valid") as caught:
        client.models.generate_content(model=MODEL, contents="hi")

    assert caught.value.code == 400


def test_a_poisoned_inline_error_breaks_the_sdks_listing(hand: Hand) -> None:
    hand.fault("poisoned_details")
    client = hand.sdk()
    job = client.batches.create(
        model=MODEL, src=[types.InlinedRequest(contents="hi", metadata={"key": "k"})]
    )
    hand.wait(job.name)

    with pytest.raises(ValueError, match="details"):
        list(client.batches.list())
