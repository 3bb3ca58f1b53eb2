"""The Prefect server with its UI, on the embedded Postgres."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from deployments.local import prefect_api, secret
from deployments.local.part import Part, answers, module

HEARTBEAT_SECONDS = 30  # the least that Prefect accepts
ZOMBIE_AFTER_SECONDS = 4 * HEARTBEAT_SECONDS
ZOMBIES = {
    "name": "Crash flow runs that went silent",
    "description": "A killed process cannot say that it died; its missing heartbeats do.",
    "trigger": {
        "type": "event",
        "posture": "Proactive",
        "after": ["prefect.flow-run.heartbeat"],
        "expect": [
            "prefect.flow-run.heartbeat",
            *(
                f"prefect.flow-run.{state}"
                for state in ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended")
            ),
        ],
        "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
        "for_each": ["prefect.resource.id"],
        "threshold": 1,
        "within": ZOMBIE_AFTER_SECONDS,
    },
    "actions": [
        {
            "type": "change-flow-run-state",
            "state": "CRASHED",
            "message": "No heartbeat: its process or its machine is gone.",
        }
    ],
}


@dataclass(frozen=True)
class PrefectServer(Part):
    """Serve Prefect's API and UI on 127.0.0.1."""

    port: int
    database_url: str = field(repr=False)  # holds the password

    name: ClassVar[str] = "prefect"
    patience: ClassVar[float] = 4.0  # it would wait for every open page; its state is in Postgres

    @property
    def url(self) -> str:
        """The UI's address; the API's is below it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """The API's address."""
        return f"{self.url}/api"

    @cached_property
    def secret(self) -> str:
        """What the server asks of everybody, as `user:password`."""
        return f"admin:{secret.kept(self.home / 'password')}"

    def access(self) -> dict[str, str]:
        """Return the settings of a client of this server."""
        return {"PREFECT_API_URL": self.api_url, "PREFECT_API_AUTH_STRING": self.secret}

    def command(self) -> list[str]:
        """Return the server's command line."""
        return module("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port))

    def environment(self) -> dict[str, str]:
        """Return the server's settings: no page but its own may use it, and nobody unasked."""
        return {
            "PREFECT_SERVER_API_AUTH_STRING": self.secret,
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{self.url},http://localhost:{self.port}",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.database_url,
            "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "20",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }

    def ready(self, since: float) -> bool:  # noqa: ARG002 (a new server has no old answers)
        """Return whether the API and its database answer."""
        return answers(f"{self.api_url}/ready")

    def settle(self) -> None:
        """Have silent flow runs marked as crashed, once."""
        with prefect_api.client(self.access()) as api:
            wanted = {"automations": {"name": {"any_": [ZOMBIES["name"]]}}}
            if not api.post("/automations/filter", json=wanted).raise_for_status().json():
                api.post("/automations/", json=ZOMBIES).raise_for_status()
