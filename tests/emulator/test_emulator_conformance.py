"""Every answer against the field names, types and enums of Google's discovery document."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from emulator_hand import MODEL, Hand, lines, request

Json = dict[str, Any]
# The fields of the messages used here, and nothing else, of the document's revision 20260325.
GOOGLE: Json = json.loads(Path(__file__).with_name("google_schemas.json").read_text())
# Fields that were seen from the real service, though its document lacks them.
SEEN = {"Status": {"status": {"type": "string"}}, "EmbedContentResponse": {"tokenCount": {}}}
for _name, _fields in SEEN.items():
    GOOGLE["$defs"][_name]["properties"] |= _fields


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(GOOGLE | {"$ref": f"#/$defs/{name}"})


def check(body: Json, name: str) -> None:
    validator(name).validate(body)


def check_operation(body: Json, kind: str = "GenerateContentBatch") -> None:
    check(body, "Operation")
    metadata = dict(body["metadata"])
    assert metadata.pop("@type").endswith(kind)
    check(metadata, kind)
    if "response" in body:
        response = dict(body["response"])
        assert response.pop("@type").endswith(f"{kind}Output")
        check(response, f"{kind}Output")


def check_output(raw: bytes, name: str = "GenerateContentResponse") -> None:
    for one in raw.splitlines():
        line = orjson.loads(one)
        assert set(line) in ({"key", "response"}, {"key", "error"})
        check(line.get("response") or line["error"], name if "response" in line else "Status")


def test_files_conform(hand: Hand) -> None:
    url = hand.start_upload(2)

    uploaded = hand.send(url, b"{}").json()

    check(uploaded, "CreateFileResponse")
    check(hand.get(uploaded["file"]["name"]).json(), "File")
    check(hand.get("files").json(), "ListFilesResponse")


def test_a_job_conforms_in_every_state(hand: Hand) -> None:
    hand.switch("settings", run_seconds=0.3)
    name = hand.job(lines(2))

    while not (job := hand.get(name).json()).get("done"):
        check_operation(job)

    check_operation(job)
    output = hand.get(job["metadata"]["output"]["responsesFile"]).json()
    check(output, "File")
    listed = hand.get("batches").json()
    check(listed, "ListOperationsResponse")
    check_operation(listed["operations"][0])


@pytest.mark.parametrize("fault", ["failed", "expired", "cancelled", "input_expired"])
def test_a_job_without_results_conforms(hand: Hand, fault: str) -> None:
    hand.fault(fault)

    job = hand.wait(hand.job(lines(1)))

    check_operation(job)
    assert job["error"]["code"]


def test_an_output_full_of_trouble_conforms(hand: Hand) -> None:
    hand.switch("trouble", share=30)
    hand.fault("error_line", share=0.1)
    hand.fault("prompt_blocked", share=0.1)

    raw = hand.raw_output(hand.job(lines(60)))

    check_output(raw)


def test_inline_answers_conform(hand: Hand) -> None:
    hand.fault("error_line", times=1)
    asked = [{"request": request(), "metadata": {"key": key}} for key in "ab"]
    batch = {"displayName": "in", "inputConfig": {"requests": {"requests": asked}}}

    created = hand.post(f"models/{MODEL}:batchGenerateContent", {"batch": batch}).json()

    check_operation(hand.wait(created["name"]))


@pytest.mark.parametrize("source", ["inline", "file"])
def test_embedding_jobs_conform(hand: Hand, source: str) -> None:
    ask = {"content": {"parts": [{"text": "a text"}]}, "outputDimensionality": 8}
    config = (
        {"requests": {"requests": [{"request": ask}]}}
        if source == "inline"
        else {"fileName": hand.upload([{"key": "k", "request": ask}])}
    )

    created = hand.post(
        "models/gemini-embedding-001:asyncBatchEmbedContent",
        {"batch": {"displayName": "emb", "inputConfig": config}},
    ).json()

    check_operation(created, "EmbedContentBatch")
    check_operation(hand.wait(created["name"]), "EmbedContentBatch")
    if source == "file":
        check_output(hand.raw_output(created["name"]), "EmbedContentResponse")


def test_online_answers_conform(hand: Hand) -> None:
    hand.fault("thoughts")
    hand.fault("cached")
    grounded = {"contents": request()["contents"], "tools": [{"googleSearch": {}}]}
    embed = {"content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 4}

    for body in (request(), grounded, request(thinkingConfig={"includeThoughts": True})):
        answer = hand.post(f"models/{MODEL}:generateContent", body).json()
        check(answer, "GenerateContentResponse")

    counted = hand.post(f"models/{MODEL}:countTokens", {"contents": request()["contents"]})
    check(counted.json(), "CountTokensResponse")
    model = "models/gemini-embedding-001"
    check(hand.post(f"{model}:embedContent", embed).json(), "EmbedContentResponse")
    several = hand.post(f"{model}:batchEmbedContents", {"requests": [embed, embed]}).json()
    check(several, "BatchEmbedContentsResponse")
    check(hand.get(f"models/{MODEL}").json(), "Model")
    check(hand.get("models").json(), "ListModelsResponse")


@pytest.mark.parametrize(
    "path", ["files/nothing", "batches/nothing", "models/gemini-1.5-flash", "no/such/path"]
)
def test_errors_come_in_the_services_envelope(hand: Hand, path: str) -> None:
    answer = hand.get(path)

    body = answer.json()
    assert set(body) == {"error"}
    check(body["error"], "Status")
    assert body["error"]["code"] == answer.status_code
    assert body["error"]["status"] in ("PERMISSION_DENIED", "NOT_FOUND")


def test_the_check_itself_refuses_an_unknown_field() -> None:
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        check({"candidates": [], "madeUp": 1}, "GenerateContentResponse")
