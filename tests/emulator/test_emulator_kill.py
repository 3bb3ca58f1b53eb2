"""Kill -9 at bad moments: what was acknowledged is still there, what was begun goes on."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import psutil
from emulator_hand import Hand, lines, quick

from deployments.local.emulator.serve import running


@contextlib.contextmanager
def emulator(data: Path) -> Iterator[Hand]:
    with running(data) as address:
        hand = Hand(address)
        yield hand
        hand.http.close()


def kill(hand: Hand) -> None:
    children = psutil.Process(hand.address.pid).children(recursive=True)
    hand.address.kill()
    # A worker that outlived its parent would go on writing beside the next one.
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []


def answered(hand: Hand, name: str) -> int:
    return int(hand.own("progress", batch=name.removeprefix("batches/"))["answered"])


def test_a_job_killed_midway_is_finished_after_a_restart(tmp_path: Path) -> None:
    with emulator(tmp_path) as hand:
        quick(hand)
        name = hand.job(lines(6000))
        while not 0 < answered(hand, name) < 6000:
            time.sleep(0.01)
        kill(hand)

    with emulator(tmp_path) as hand:
        raw = hand.raw_output(name)

        keys = [orjson.loads(one)["key"] for one in raw.splitlines()]
        assert keys == [f"k{i}" for i in range(6000)]
        assert hand.own("keys", min=1)["count"] == 6000
        assert hand.own("keys", min=2)["count"] == 0
        assert hand.own("bill")["totals"]["requests"] == 6000


def test_the_output_of_a_killed_job_is_that_of_an_undisturbed_one(tmp_path: Path) -> None:
    with emulator(tmp_path / "killed") as hand:
        hand.switch("settings", run_seconds=0)
        name = hand.job(lines(3000))
        while not 0 < answered(hand, name) < 3000:
            time.sleep(0.01)
        kill(hand)
    with emulator(tmp_path / "killed") as hand:
        killed = hand.raw_output(name)

    with emulator(tmp_path / "calm") as hand:
        hand.switch("settings", run_seconds=0)
        calm = hand.raw_output(hand.job(lines(3000)))

    assert killed == calm


def test_an_upload_killed_in_a_chunk_goes_on_from_the_chunk_before(tmp_path: Path) -> None:
    first, second = b'"' + b"a" * 999_999, b"b" * 4_999_999 + b'"'

    def trickle() -> Iterator[bytes]:
        for at in range(0, len(second), 100_000):
            yield second[at : at + 100_000]
            time.sleep(0.02)

    with emulator(tmp_path) as hand:
        url = hand.start_upload(len(first) + len(second))
        hand.send(url, first, 0, "upload")
        threading.Timer(0.3, hand.address.kill).start()
        headers = {
            "X-Goog-Upload-Command": "upload, finalize",
            "X-Goog-Upload-Offset": str(len(first)),
            "Content-Length": str(len(second)),
        }
        with contextlib.suppress(httpx.TransportError):
            hand.http.post(url, content=trickle(), headers=headers)

    with emulator(tmp_path) as hand:
        path = url.split("/upload/")[1]
        file = hand.send(f"/upload/{path}", second, len(first)).json()["file"]

        assert file["sizeBytes"] == str(len(first) + len(second))
        assert hand.get(file["name"]).json() == file


def test_a_job_whose_reply_was_never_sent_is_there_after_a_restart(tmp_path: Path) -> None:
    with emulator(tmp_path) as hand:
        quick(hand)
        file = hand.upload(lines(1))
        hand.fault("pause", match={"event": "job_created"}, seconds=60, times=1)
        create = threading.Thread(target=_create_in_vain, args=(hand, file))
        create.start()
        seen = [event["kind"] for event in hand.own("events", after=2, wait_seconds=10)["events"]]
        kill(hand)
        create.join()

    with emulator(tmp_path) as hand:
        [job] = hand.get("batches").json()["operations"]

        assert "job_created" in seen
        assert job["metadata"]["displayName"] == "lost reply"
        assert hand.wait(job["name"])["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


def _create_in_vain(hand: Hand, file: str) -> None:
    with contextlib.suppress(httpx.TransportError):
        hand.create(file, "lost reply")


def test_settings_clock_faults_and_files_outlive_a_kill(tmp_path: Path) -> None:
    with emulator(tmp_path) as hand:
        file = hand.upload(b"{}")
        hand.switch("clock", advance_seconds=3600)
        hand.switch("settings", run_seconds=7)
        hand.fault("error_503", times=3, match={"method": "batches.list"})
        hand.get("batches")
        kill(hand)

    with emulator(tmp_path) as hand:
        [fault] = hand.own("faults")["faults"]

        assert hand.own("clock")["offset_seconds"] == 3600
        assert hand.own("settings")["run_seconds"] == 7
        assert (fault["remaining"], fault["fired"]) == (2, 1)
        assert hand.get(file).status_code == 200
