"""Upload and download through the product's adapter against plain HTTP of the same file.

python -m bench.transfer moves 300 MB over loopback, each round in a process of its own, and prints
MB per second and the memory that it took beyond what the process had before.
"""

import http.client
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.table import Row, emit, ratio
from deployments.local.emulator.serve import running
from tasks.adapters.gemini import Gemini

SIZE = 300_000_000
ROUNDS = 5
BLOCK = 1 << 20
KEY = "bench-key"
MODEL = "gemini-3.1-flash-lite"
LINE = b'{"key":"%08d","request":{"contents":[{"role":"user","parts":[{"text":"%s"}]}]}}\n'
TEXT = b"Real text has words of many lengths, and some of it comes again. " * 15


def main() -> None:
    """Print and hand in both directions."""
    place = Path(tempfile.mkdtemp(prefix="bench-transfer-"))
    try:
        with running(place / "emulator", trouble=0.0) as address:
            source = write_source(place)
            output = make_output(address.base_url, place, source)
            size = source.stat().st_size
            print(f"{size / 1e6:.0f} MB over loopback; MB/s at best (median) of {ROUNDS}")
            compare("upload", size, address.base_url, str(source), "")
            compare("download", size, address.base_url, str(place / "fetched"), output)
    finally:
        shutil.rmtree(place)


def write_source(place: Path) -> Path:
    """Return a request file of about the size."""
    path = place / "requests.jsonl"
    with path.open("wb") as file:
        file.writelines(LINE % (n, TEXT) for n in range(SIZE // len(LINE % (0, TEXT))))
    return path


def make_output(base_url: str, place: Path, source: Path) -> str:
    """Return the name of a job's output as large as the file: another's bytes put in its place."""
    small = place / "one.jsonl"
    small.write_bytes(LINE % (0, TEXT))
    api = Gemini(KEY, base_url, 60)
    job = api.create_job(MODEL, api.upload(small, "one").name, "one")
    while not (ended := api.get_job(job.name)).output_file:
        time.sleep(0.1)
    shutil.copy(
        source, place / "emulator" / "outputs" / f"{job.name.removeprefix('batches/')}.jsonl"
    )
    return str(ended.output_file)


def compare(what: str, size: int, *given: str) -> None:
    """Measure one direction both ways, in turn."""
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "ours": []}
    for _ in range(ROUNDS):
        for name, rounds in found.items():
            rounds.append(in_process(f"{what}_{name}", given))
    shown = {name: describe(rounds, size) for name, rounds in found.items()}
    for name, text in shown.items():
        print(f"  {what:9} {name:6} {text}")
    ours, plain = ([seconds for seconds, _ in found[name]] for name in ("ours", "plain"))
    label = f"{what} of {size / 1e6:.0f} MB"
    emit(Row(3, label, shown["ours"], shown["plain"], ratio(ours, plain)))


def describe(rounds: list[tuple[float, float]], size: int) -> str:
    """Return speed at best and in the median, and the most memory."""
    taken, memory = zip(*rounds, strict=True)
    best, usual = size / min(taken) / 1e6, size / median(taken) / 1e6
    return f"{best:,.0f} MB/s ({usual:,.0f}), +{max(memory):.0f} MB"


def in_process(way: str, given: tuple[str, ...]) -> tuple[float, float]:
    """Return seconds and MB that one round took."""
    command = [sys.executable, "-m", "bench.transfer", way, *given]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    seconds, memory = json.loads(done.stdout)
    return float(seconds), float(memory)


def one_round(way: str, given: list[str]) -> None:
    """Do one transfer in this process and print what it took."""
    work = WAYS[way]
    before, began = _peak(), time.perf_counter()
    work(*given)
    print(json.dumps([time.perf_counter() - began, _peak() - before]))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def upload_ours(base_url: str, path: str, _: str) -> None:
    """Upload through the adapter."""
    Gemini(KEY, base_url, 60).upload(Path(path), "bench")


def download_ours(base_url: str, path: str, name: str) -> None:
    """Download through the adapter."""
    Gemini(KEY, base_url, 60).download(name, Path(path))


def upload_plain(base_url: str, path: str, _: str) -> None:
    """Send the file as the body of one request."""
    connection = _connection(base_url)
    size = Path(path).stat().st_size
    headers = {
        "x-goog-api-key": KEY,
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "Content-Type": "application/json",
    }
    connection.request("POST", "/upload/v1beta/files", b"{}", headers)
    begun = connection.getresponse()
    begun.read()
    url = urlsplit(str(begun.headers["X-Goog-Upload-URL"]))
    last = {
        "X-Goog-Upload-Command": "upload, finalize",
        "X-Goog-Upload-Offset": "0",
        "Content-Length": str(size),
    }
    with Path(path).open("rb") as file:
        connection.request("POST", f"{url.path}?{url.query}", file, last)
    assert connection.getresponse().status == http.client.OK


def download_plain(base_url: str, path: str, name: str) -> None:
    """Read the body of one request into a file."""
    connection = _connection(base_url)
    connection.request("GET", f"/v1beta/{name}:download?alt=media", headers={"x-goog-api-key": KEY})
    answer = connection.getresponse()
    assert answer.status == http.client.OK
    with Path(path).open("wb") as file:
        shutil.copyfileobj(answer, file, BLOCK)


def _connection(base_url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(base_url).netloc, blocksize=BLOCK)


WAYS: dict[str, Callable[[str, str, str], None]] = {
    "upload_ours": upload_ours,
    "upload_plain": upload_plain,
    "download_ours": download_ours,
    "download_plain": download_plain,
}

if __name__ == "__main__":
    if sys.argv[1:]:
        one_round(sys.argv[1], sys.argv[2:])
    else:
        main()
