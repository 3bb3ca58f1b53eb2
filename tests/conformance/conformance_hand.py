"""A hand that runs a round against an emulator that stands for the real service."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.conformance.__main__ import main
from deployments.conformance.record import Record, load

KEY = "a-very-secret-key"


@dataclass
class Round:
    """One folder of a round, and the service that is asked."""

    url: str
    place: Path
    said: pytest.CaptureFixture[str]

    def start(self, *more: str) -> int:
        return main(["start", "--place", str(self.place), "--url", self.url, *more])

    def collect(self) -> int:
        return main(["collect", "--place", str(self.place)])

    def collected(self) -> str:
        """Return what is printed once all jobs have ended."""
        self.said.readouterr()
        deadline = time.monotonic() + 60
        while (code := self.collect()) == 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        said = self.said.readouterr()
        assert code == 0, said.err
        return said.out

    def record(self) -> Record:
        record = load(self.place / "service.json")
        assert record is not None
        return record

    def fault(self, kind: str, **more: object) -> None:
        self.switch("faults", kind=kind, **more)

    def switch(self, path: str, **body: object) -> None:
        url = f"{self.url}/_emulator/{path}"
        httpx.post(url, json=body, trust_env=False).raise_for_status()

    def own(self, path: str) -> Any:
        url = f"{self.url}/_emulator/{path}"
        return httpx.get(url, trust_env=False).raise_for_status().json()

    def there(self, plural: str, key: str) -> list[dict[str, Any]]:
        """Return all jobs or files at the service."""
        headers = {"x-goog-api-key": KEY}
        url = f"{self.url}/v1beta/{plural}?pageSize=100"
        found = httpx.get(url, headers=headers, trust_env=False).raise_for_status().json()
        return list(found.get(key, ()))
