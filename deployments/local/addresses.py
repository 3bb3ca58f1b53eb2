"""Where the parts of a stack are found, and how any shell learns it."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EMULATOR_KEY = "emulator-key"
# The emulator's jobs take seconds, not hours; it lists at once what it created, and has no quota.
QUICK = {
    "BACKFILL_POLL_SECONDS": "0.5",
    "BACKFILL_RECREATE_AFTER_SECONDS": "1",
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "10",
    "BACKFILL_QUOTA_BACKOFF_SECONDS": "2",
    "BACKFILL_REQUESTS_PER_MINUTE": "600",
    "BACKFILL_WORKER_POLL_SECONDS": "1",
    "BACKFILL_WORKER_GRACE_SECONDS": "10",
}
PREFECT = {
    # Its server may be away for minutes, and answers 500 while the Postgres below it is.
    "PREFECT_CLIENT_MAX_RETRIES": "7",
    "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
# Tells what a joined shell has from the emulator from what its user set.
EMULATOR_URL = "BACKFILL_EMULATOR_URL"
OURS = ("BACKFILL_", "PREFECT_", "GEMINI_", "GOOGLE_")
HEADER = "# Written by `make up`. Join the embedded stack with: source .local/env"


@dataclass(frozen=True)
class Addresses:
    """What a program must know to use the stack; None where the user brings their own."""

    database_url: str | None = field(repr=False)  # holds the password
    prefect_url: str | None
    gemini_url: str | None
    prefect_secret: str | None = field(default=None, repr=False)

    @property
    def prefect_api_url(self) -> str | None:
        """The address of Prefect's API."""
        return f"{self.prefect_url}/api" if self.prefect_url else None

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables that join a process to the stack whose data is in `home`."""
        served: dict[str, str | None] = {
            "BACKFILL_DATABASE_URL": self.database_url,
            "PREFECT_API_URL": self.prefect_api_url,
            "PREFECT_API_AUTH_STRING": self.prefect_secret,
            "PREFECT_HOME": str(home / "prefect") if self.prefect_url else None,
            "GEMINI_API_KEY": EMULATOR_KEY if self.gemini_url else None,
            "BACKFILL_GEMINI_URL": self.gemini_url,
            EMULATOR_URL: self.gemini_url,
            "BACKFILL_WORK_DIR": str(home / "work"),
            "BACKFILL_REPORTS_DIR": str(home / "reports"),
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(home / "results"),
        }
        return {
            **{name: value for name, value in served.items() if value is not None},
            **self._pace,
        }

    @property
    def _pace(self) -> dict[str, str]:
        return {**(QUICK if self.gemini_url else {}), **PREFECT}

    def join(self, home: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """Return `environment` with the stack's variables, none left from a stack joined before.

        What the user set stays, but for the addresses and folders that the stack serves.
        """
        before = _of_emulator(environment.get(EMULATOR_URL))
        own = {name: value for name, value in _set(environment) if before.get(name) != value}
        pace = {name: own.get(name, value) for name, value in self._pace.items()}
        return {**own, **self.environment(home), **pace}

    def write(self, home: Path, environment: Mapping[str, str]) -> Path:
        """Write the variables as a file that a shell can `source`; return its path (mode 600).

        They have the values that the stack's own processes have, joined from `environment`.
        """
        joined = self.join(home, environment)
        lines = [f"export {name}={shlex.quote(joined[name])}" for name in self.environment(home)]
        # So that `prefect` and `python -m deployments.…` are those of this project.
        lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
        target = home / "env"
        partial = target.with_suffix(".part")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text("\n".join([HEADER, *lines, ""]))
        partial.rename(target)
        return target


@dataclass(frozen=True)
class Own:
    """Which of the three the user brings: each is then used instead of started."""

    database: bool
    prefect: bool
    gemini: bool

    @classmethod
    def among(cls, environment: Mapping[str, str], ours: Addresses) -> "Own":
        """Read the user's choice; values that `source .local/env` set do not count."""

        def brings(name: str, our_value: str | None) -> bool:
            return environment.get(name, "").strip() not in ("", our_value)

        return cls(
            database=brings("BACKFILL_DATABASE_URL", ours.database_url),
            prefect=brings("PREFECT_API_URL", ours.prefect_api_url),
            gemini=brings("GEMINI_API_KEY", EMULATOR_KEY) or brings("GOOGLE_API_KEY", None),
        )


def _of_emulator(url: str | None) -> dict[str, str]:
    """Return what a shell has that joined a stack with the emulator at `url`."""
    return {"BACKFILL_GEMINI_URL": url, EMULATOR_URL: url, **QUICK} if url else {}


def _set(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables without those of ours that are empty: they are not set."""
    return [
        (name, value)
        for name, value in environment.items()
        if value.strip() or not name.startswith(OURS)
    ]
