"""The stand-in for the Gemini API."""

from dataclasses import dataclass
from typing import ClassVar

from deployments.local.part import Part, answers, module


@dataclass(frozen=True)
class GeminiEmulator(Part):
    """Serve the emulator on 127.0.0.1, its state in `home`."""

    port: int

    name: ClassVar[str] = "emulator"

    @property
    def url(self) -> str:
        """The address to give the SDK as its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the emulator's command line."""
        options = ("--port", str(self.port), "--data", str(self.home))
        return module("deployments.local.emulator", *options)

    def ready(self, since: float) -> bool:  # noqa: ARG002 (a new server has no old answers)
        """Return whether the emulator answers."""
        return answers(f"{self.url}/_emulator")
