import base64
import hashlib
import re

import httpx
import pytest
from emulator_hand import Hand, lines

OTHER = {"x-goog-api-key": "other-project-key"}


def test_an_upload_in_three_chunks_is_active_until_its_last(hand: Hand) -> None:
    url = hand.start_upload(12)

    answers = [
        hand.send(url, b"12345", 0, "upload"),
        hand.send(url, b"67890", 5, "upload"),
        hand.send(url, b"ab", 10),
    ]

    assert [a.headers["x-goog-upload-status"] for a in answers] == ["active", "active", "final"]
    assert answers[2].json()["file"]["sizeBytes"] == "12"


def test_a_file_says_what_the_service_says_of_it(hand: Hand) -> None:
    content = b'{"a": 1}\n'

    file = hand.get(hand.upload(content, displayName="my-in")).json()

    assert re.fullmatch("files/[a-z0-9]{12}", file["name"])
    assert file["displayName"] == "my-in"
    assert file["mimeType"] == "application/jsonl"
    assert file["sizeBytes"] == "9"
    digest = hashlib.sha256(content).hexdigest()
    assert base64.b64decode(file["sha256Hash"]).decode() == digest
    assert (file["state"], file["source"]) == ("ACTIVE", "UPLOADED")


def test_an_empty_file_is_a_file(hand: Hand) -> None:
    name = hand.upload(b"")

    assert hand.get(name).status_code == 200


def test_a_chunk_at_the_wrong_offset_is_refused_with_where_it_stands(hand: Hand) -> None:
    url = hand.start_upload(10)
    hand.send(url, b"12345", 0, "upload")

    refused = hand.send(url, b"67890", 3)

    assert refused.status_code == 400
    assert "stands at 5" in refused.json()["error"]["message"]


def test_a_query_says_how_much_has_come(hand: Hand) -> None:
    url = hand.start_upload(10)
    hand.send(url, b"12345", 0, "upload")

    answer = hand.send(url, b"", 0, "query")

    assert answer.headers["x-goog-upload-size-received"] == "5"


def test_a_file_is_gone_after_48_hours_and_not_before(hand: Hand) -> None:
    name = hand.upload(b"{}")
    hand.switch("clock", advance_seconds=47.9 * 3600)
    before = hand.get(name).status_code

    hand.switch("clock", advance_seconds=0.2 * 3600)

    assert before == 200
    assert hand.get(name).status_code == 403
    assert hand.create(name).status_code == 403


def test_files_are_listed_newest_first_in_pages(hand: Hand) -> None:
    names = [hand.upload(b"{}") for _ in range(5)]

    first = hand.get("files?pageSize=2").json()
    second = hand.get(f"files?page_size=2&pageToken={first['nextPageToken']}").json()
    third = hand.get(f"files?pageSize=2&pageToken={second['nextPageToken']}").json()

    listed = [file["name"] for page in (first, second, third) for file in page["files"]]
    assert listed == names[::-1]
    assert "nextPageToken" not in third


def test_an_output_is_hidden_from_the_list_but_can_be_got(hand: Hand) -> None:
    job = hand.wait(hand.job(lines(2)))
    output = job["metadata"]["output"]["responsesFile"]

    listed = [file["name"] for file in hand.get("files").json()["files"]]

    assert output not in listed
    assert hand.get(output).json()["source"] == "GENERATED"


def test_a_repeated_delete_answers_403(hand: Hand) -> None:
    name = hand.upload(b"{}")

    codes = [hand.delete(name).status_code for _ in range(2)]

    assert codes == [200, 403]


def test_an_output_cannot_be_deleted_as_a_file(hand: Hand) -> None:
    output = hand.wait(hand.job(lines(1)))["metadata"]["output"]["responsesFile"]

    refused = hand.delete(output)

    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_an_uploaded_file_cannot_be_downloaded(hand: Hand) -> None:
    name = hand.upload(b"{}")

    assert hand.get(f"{name}:download?alt=media").status_code == 400


def test_both_spellings_of_a_download_give_the_same_bytes(hand: Hand) -> None:
    output = hand.wait(hand.job(lines(2)))["metadata"]["output"]["responsesFile"]

    plain = hand.http.get(f"/v1/{output}:download?alt=media")
    prefixed = hand.http.get(f"/download/v1beta/{output}:download?alt=media")

    assert plain.content == prefixed.content != b""


def test_another_project_sees_nothing_of_this_one(hand: Hand) -> None:
    name = hand.upload(lines(1))
    job = hand.create(name).json()["name"]

    assert hand.get(name, **OTHER).status_code == 403
    assert hand.delete(name, **OTHER).status_code == 403
    assert hand.get(job, **OTHER).status_code == 404
    assert hand.get("files", **OTHER).json() == {}
    assert hand.get("batches", **OTHER).json() == {}


def test_a_key_is_needed_and_an_invalid_one_answers_400(hand: Hand) -> None:
    absent = httpx.get(f"{hand.address.base_url}/v1beta/files", trust_env=False)
    invalid = hand.get("files", **{"x-goog-api-key": "invalid-key"})

    assert absent.status_code == 403
    assert invalid.status_code == 400
    assert invalid.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize("name", ["Upper", "-dash", "dash-", "a" * 41, "with_underscore"])
def test_a_file_id_outside_the_rule_is_refused(hand: Hand, name: str) -> None:
    body = {"file": {"name": f"files/{name}"}}
    headers = {"X-Goog-Upload-Command": "start"}

    refused = hand.http.post("/upload/v1beta/files", json=body, headers=headers)

    assert refused.status_code == 400


def test_a_chosen_file_id_is_taken_once(hand: Hand) -> None:
    hand.upload(b"{}", name="files/mine")
    headers = {"X-Goog-Upload-Command": "start"}

    again = hand.http.post(
        "/upload/v1beta/files", json={"file": {"name": "files/mine"}}, headers=headers
    )

    assert again.status_code == 409


def test_a_file_over_two_gigabytes_is_refused(hand: Hand) -> None:
    headers = {
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "2147483649",
    }

    refused = hand.http.post("/upload/v1beta/files", json={"file": {}}, headers=headers)

    assert refused.status_code == 400


def test_full_storage_answers_429_naming_the_quota(hand: Hand) -> None:
    hand.switch("settings", storage_bytes=10)
    headers = {"X-Goog-Upload-Command": "start", "X-Goog-Upload-Header-Content-Length": "11"}

    refused = hand.http.post("/upload/v1beta/files", json={"file": {}}, headers=headers)

    assert refused.status_code == 429
    assert "file_storage_bytes" in refused.json()["error"]["message"]
