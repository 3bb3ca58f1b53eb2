"""A large job costs time and disk, not memory, and polls are answered meanwhile."""

import time
from pathlib import Path

import orjson
import psutil
import pytest
from emulator_hand import MODEL, Hand, line, quick

from deployments.local.emulator.serve import running

MIB = 1024 * 1024
SYSTEM = "Name the concepts of the passage. " * 60


def write_input(path: Path, count: int) -> None:
    asked = line("KEY")
    asked["request"]["systemInstruction"]["parts"][0]["text"] = SYSTEM
    template = orjson.dumps(asked)
    with path.open("wb") as file:
        for index in range(count):
            file.write(template.replace(b"KEY", b"k%07d" % index) + b"\n")


def peak(pid: int) -> int:
    """Return the peak memory of the largest of a process and its children, in bytes."""
    root = psutil.Process(pid)
    found = [root, *root.children(recursive=True)]
    status = [Path(f"/proc/{one.pid}/status").read_text() for one in found]
    return max(int(text.split("VmHWM:")[1].split()[0]) * 1024 for text in status)


def travel(hand: Hand, path: Path, target: Path) -> tuple[float, list[float]]:
    """Return (seconds from create to output, seconds of each poll)."""
    client = hand.sdk()
    client._api_client._http_options.timeout = 600_000
    file = client.files.upload(file=str(path), config={"mime_type": "application/jsonl"})
    started = time.monotonic()
    job = client.batches.create(model=MODEL, src=file.name)
    polls = []
    while not job.done:
        time.sleep(0.05)
        asked = time.monotonic()
        job = client.batches.get(name=job.name)
        polls.append(time.monotonic() - asked)
    client.files.download(file=job.dest.file_name, destination=str(target))
    return time.monotonic() - started, polls


def keys(path: Path) -> set[str]:
    with path.open("rb") as file:
        return {orjson.loads(raw)["key"] for raw in file}


def test_two_thousand_requests_are_answered_while_polls_are(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_input(source, 2000)
    with running(tmp_path / "data") as address:
        hand = quick(Hand(address))
        _, polls = travel(hand, source, target)

        assert len(keys(target)) == 2000
        assert max(polls) < 2
        assert peak(address.pid) < 200 * MIB


@pytest.mark.long
def test_a_hundred_thousand_requests_need_no_more_memory_than_two_thousand(
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    peaks = []
    for count in (2000, 100_000):
        write_input(source, count)
        with running(tmp_path / f"data{count}") as address:
            hand = quick(Hand(address))
            seconds, polls = travel(hand, source, target)
            peaks.append(peak(address.pid))

            assert len(keys(target)) == count
            assert max(polls) < 5
            assert hand.own("keys", min=2)["count"] == 0
    print(f"{count / seconds:.0f} lines/s, peaks {[one // MIB for one in peaks]} MiB")  # noqa: T201
    assert peaks[1] < peaks[0] + 40 * MIB
