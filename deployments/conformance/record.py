"""What was observed so far, in a file that a later command goes on with; no key, no texts."""

from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, Field

from deployments.conformance.shapes import Shape

TOO_MANY_REQUESTS, INTERNAL = 429, 500


class Answer(BaseModel):
    """One answer over the wire: what was asked, and the shape of status, type and body."""

    call: str
    shape: Shape

    @property
    def status(self) -> int:
        """Return the HTTP status, 0 for what did not come as an answer of its own."""
        return int(self.shape.get("HTTP", ["0"])[0])


class Observation(BaseModel):
    """What the SDK made of one or several calls, and what came over the wire meanwhile."""

    sdk: list[str] = []
    answers: list[Answer] = []

    @property
    def trouble(self) -> str:
        """Return why this tells nothing about the service, which may answer another time."""
        passing = [
            answer.status
            for answer in self.answers
            if answer.status == TOO_MANY_REQUESTS or answer.status >= INTERNAL
        ]
        return f"answered {passing[0]}" if passing else ""


class Record(BaseModel):
    """One round of calls at one service."""

    id: str = Field(default_factory=lambda: uuid4().hex[:12])
    url: str | None
    model: str
    embedding_model: str
    observations: dict[str, Observation] = {}
    unseen: dict[str, str] = {}
    jobs: dict[str, str] = {}
    finished: bool = False

    @property
    def prefix(self) -> str:
        """Return how the display names of everything begin that this round makes."""
        return f"conformance-{self.id}-"

    def see(self, call: str, observation: Observation) -> None:
        """Note what a call was answered, or that it is to be asked another time."""
        if trouble := observation.trouble:
            self.unseen[call] = trouble
            return
        self.unseen.pop(call, None)
        self.observations[call] = observation

    def save(self, path: Path) -> None:
        """Replace the file as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        part.replace(path)


def load(path: Path) -> Record | None:
    """Return the record in a file, if there is one."""
    return Record.model_validate_json(path.read_bytes()) if path.exists() else None
