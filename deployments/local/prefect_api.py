"""Prefect's API over plain HTTP, for whoever should not wait a second for Prefect's own client."""

from base64 import b64encode
from collections.abc import Generator, Mapping
from uuid import uuid4

import httpx


def client(environment: Mapping[str, str]) -> httpx.Client:
    """Return a client of the server that `environment` names, with the right to use it."""
    url = environment["PREFECT_API_URL"]
    proxied = "//127.0.0.1:" not in url  # no proxy finds this machine's own servers
    return httpx.Client(base_url=url, auth=Access(url, environment), timeout=30, trust_env=proxied)


class Access(httpx.Auth):
    """Sends the secret; and, to a server that refuses a change without it, a token it gave."""

    requires_response_body = True

    def __init__(self, api_url: str, environment: Mapping[str, str]) -> None:
        self._client = str(uuid4())
        self._tokens = httpx.URL(f"{api_url}/csrf-token", params={"client": self._client})
        self._headers = _authorization(environment)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request; if it is refused, send it once more with a new token."""
        request.headers.update(self._headers)
        response = yield request
        if response.status_code != httpx.codes.FORBIDDEN:
            return
        given = yield httpx.Request("GET", self._tokens, headers=self._headers)
        if given.is_success:
            self._headers["Prefect-Csrf-Client"] = self._client
            self._headers["Prefect-Csrf-Token"] = given.json()["token"]
            request.headers.update(self._headers)
            yield request


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header by which Prefect's own client would be known: the secret goes first."""
    if secret := environment.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"}
    key = environment.get("PREFECT_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}
