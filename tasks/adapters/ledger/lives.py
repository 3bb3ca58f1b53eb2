"""What became of one target, as the ledger has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tasks.adapters.postgres import Connection, statements
from tasks.core.models import Filled, Member, Written
from tasks.core.money import Transport

_SQL = statements("queries/explain.sql")


class Life(BaseModel):
    """One text of a target under one version: its end, how it came there, what it was made into."""

    model_config = ConfigDict(frozen=True)

    doc_id: UUID
    extractor_version: str
    content_hash: UUID
    state: str
    reason: str | None
    detail: str | None
    attempts: int
    input_tokens: int
    output_tokens: int
    model_version: str | None
    planned_at: datetime
    ended_at: datetime | None
    slice_id: str | None
    wave: int | None
    transport: Transport | None
    model: str | None
    job_name: str | None
    request_count: int | None
    slice_input_tokens: int | None
    slice_output_tokens: int | None
    slice_usd: float | None
    finished_at: datetime | None
    run_id: UUID | None
    kind: str | None
    started_at: datetime | None
    approved_usd: float | None
    approved_by: str | None
    is_projected: bool
    records: int | None
    reading: int | None
    fingerprint: int | None
    projected_at: datetime | None
    columns: tuple[str, ...] | None
    by_text: bool | None
    meaning: Mapping[str, Any] | None
    withdrawn_at: datetime | None

    def member(self, target_id: str) -> Member:
        """Return it as a member of its slice."""
        return Member(self.doc_id, target_id, self.content_hash, self.attempts)

    @property
    def written(self) -> Written:
        """Return what its rows were when they were written."""
        filled = Filled(self.columns, bool(self.by_text)) if self.columns else None
        return Written(self.fingerprint, filled)


def of(connection: Connection, name: str, target_id: str) -> list[Life]:
    """Return all that a target went through, the latest first."""
    values = {"backfill": name, "target_id": target_id}
    return [Life.model_validate(row) for row in connection.execute(_SQL["lives"], values)]
