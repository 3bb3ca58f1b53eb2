"""Where things are: read once, from the environment or from Prefect blocks."""

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.adapters import database_address
from tasks.core.errors import SettingsError
from tasks.core.requests import EmbeddingForm

DATABASE_BLOCK = "backfill-database"
KEY_BLOCK = "gemini-api-key"

FREE_PACE = 15, 250_000
"""Requests and tokens a minute that the page said of a Flash-Lite and a key without billing."""

PAID_PACE = 1_000, 1_000_000
"""What Google's page of limits said of tier 1 and a Flash in 2025; it names no numbers now."""


_OF_KEYS = re.compile(r"[\w.~+/=-]+", re.ASCII)
_WEB_ADDRESS = re.compile(r"https?://[!#-&(-;=?-_a-z{-~]+", re.IGNORECASE)


def web_address(value: str) -> str:
    """Return an address; raise what is wrong with it, without repeating it."""
    if not _WEB_ADDRESS.fullmatch(value):
        raise ValueError(
            "is no web address: write http://… or https://…, without blanks, quotes or what"
            " nobody sees"
        )
    return value


class Settings(BaseSettings):
    """Addresses, keys and the service's limits; nothing that changes what an answer means."""

    model_config = SettingsConfigDict(
        env_prefix="BACKFILL_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    database_url: SecretStr | None = None
    gemini_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("GEMINI_API_KEY", "GOOGLE_API_KEY")
    )
    gemini_url: Annotated[str, AfterValidator(web_address)] | None = None
    site_file: Path | None = Field(
        None, description="This installation's choices; backfills.toml beside it where empty."
    )
    work_dir: Path = Path(".local/work")
    reports_dir: Path = Path("reports")
    files_root: str | None = Field(
        None,
        description="Folders in which a form may name files, parted as in PATH; the deployment's"
        " own where empty. The reports directory is always one.",
    )

    least_disk_bytes: int = Field(
        1_000_000_000, ge=0, description="Free space without which no run starts."
    )
    tier: int | None = Field(
        None, ge=1, le=3, description="The key's tier; tasks/models.toml knows what each lets wait."
    )
    enqueued_tokens: int | None = Field(
        None,
        ge=1,
        description="Input tokens that may wait in the batch jobs of a model; else `tier`.",
    )
    jobs_in_flight: int = Field(100, ge=1, description="Batch jobs that one key may have active.")

    keep_answers_days: int | None = Field(
        None, ge=1, description="Kept answers older than that are deleted; none is when empty."
    )
    database_patience_seconds: float = Field(
        60, ge=0, description="How long a run waits for a database that went away."
    )
    lease_seconds: float = Field(
        60, ge=1, description="How long a run or slice waits for a holder that stands still."
    )
    http_timeout_seconds: float = Field(120, gt=0)
    poll_seconds: float = Field(30, gt=0, description="How often a job in flight is looked at.")
    recreate_after_seconds: float = Field(
        600,
        ge=0,
        description="How long a job that may have been created is looked for before it is created"
        " again.",
    )
    quota_patience_seconds: float = Field(
        6 * 3600, ge=0, description="How long a slice waits for quota before the run stops cleanly."
    )
    quota_backoff_seconds: float = Field(60, gt=0, description="The first wait for quota.")
    embedding_form: EmbeddingForm = Field(
        "config", description="`fields` where the service does not take embedContentConfig."
    )
    requests_per_minute: int | None = Field(
        None, ge=1, description="Of each model, one by one, as AI Studio shows beside the key."
    )
    tokens_per_minute: int | None = Field(None, ge=1000, description="Likewise.")
    interactive_at_once: int = Field(8, ge=1, le=100, description="Rows in flight, of all slices.")
    otel_endpoint: str | None = Field(
        None, description="An OTLP/HTTP collector that gets every generation; off when empty."
    )
    otel_headers: SecretStr | None = Field(
        None, description="What it wants with every request: name=value,name=value."
    )
    slice_deployment: str = Field(
        "backfill-slice/slice", description="What runs a slice on a worker, in its own work pool."
    )
    alarm_block: str | None = Field(
        None, description="Type and name of the Prefect block that is told of automations.yaml."
    )
    worker_poll_seconds: float = Field(
        5, gt=0, description="How often a slice's run on a worker is looked at."
    )
    worker_grace_seconds: float = Field(
        120, gt=0, description="How long a slice may have no process before its worker is lost."
    )
    job_deadline_seconds: float = Field(
        50 * 3600, gt=0, description="When a job without an end is given up (the service's: 48 h)."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take what is blank for unset."""
        return {
            name: each for name, each in values.items() if not isinstance(each, str) or each.strip()
        }

    def __repr_args__(self) -> list[tuple[str, object]]:
        """Show no value: an address may hold a password, and what is wrong may be anything."""
        return []

    @property
    def pace(self) -> tuple[int, int]:
        """Requests and tokens that may be sent one by one in a minute: as set, else by the tier."""
        requests, tokens = PAID_PACE if self.tier else FREE_PACE
        return self.requests_per_minute or requests, self.tokens_per_minute or tokens

    def require_database_url(self) -> str:
        """Return the database's address from the environment or the Prefect block."""
        return _said(self.database_url) or self._database_block

    def require_api_key(self) -> str:
        """Return the Gemini key from the environment or the Prefect block."""
        return _possible_key(_said(self.gemini_api_key) or _key_block())

    @cached_property
    def _database_block(self) -> str:
        return _database_block()  # every use of the database asks for it, Prefect once


@cache
def settings() -> Settings:
    """Return the process's settings, read once."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
    said = "; ".join(
        f"{_named(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in wrong
    )
    raise SettingsError(f"A setting cannot be read ({said}): correct it in the environment.")


def _named(place: tuple[int | str, ...]) -> str:
    name = str(place[0]).upper()
    return name if name.endswith("_API_KEY") else f"BACKFILL_{name.removeprefix('BACKFILL_')}"


def _said(value: SecretStr | None) -> str:
    return value.get_secret_value().strip() if value else ""


def _possible_key(key: str) -> str:
    if not _OF_KEYS.fullmatch(key):
        at = next(number for number, one in enumerate(key, 1) if not _OF_KEYS.match(one))
        raise SettingsError(
            f"The Gemini API key cannot be one: its character {at} of {len(key)} is none that keys"
            " have. Copy it again, without quotes, blanks or what nobody sees, into GEMINI_API_KEY"
            f" or the Prefect block '{KEY_BLOCK}'."
        )
    return key


def _database_block() -> str:
    block = _block("sqlalchemy-connector", DATABASE_BLOCK)
    if block is None:
        raise SettingsError(
            "No database is set: export BACKFILL_DATABASE_URL=postgresql://user:password@host/name,"
            f" or save a SqlAlchemyConnector block named '{DATABASE_BLOCK}'."
        )
    return database_address.of_block(block)


def _key_block() -> str:
    block = _block("secret", KEY_BLOCK)
    if block is None:
        raise SettingsError(
            "No Gemini API key is set: export GEMINI_API_KEY=..., or save a Secret block named"
            f" '{KEY_BLOCK}' in Prefect."
        )
    return str(block["value"]).strip()


def _block(kind: str, name: str) -> dict[str, Any] | None:
    """Return a block's fields, inside an event loop too, where `load` returns a coroutine."""
    with get_client(sync_client=True) as client:
        try:
            return client.read_block_document_by_name(name, kind).data
        except ObjectNotFound:
            return None
        except httpx.HTTPError as error:
            raise SettingsError(
                f"Prefect was asked for its block '{name}' because the environment has nothing in"
                f" its place, and does not answer ({error}): check PREFECT_API_URL."
            ) from error
