"""Which ports the parts listen on: fixed ones, unless something else has them."""

import socket
from dataclasses import dataclass

from deployments.local.errors import StackError

TRIES = 100


@dataclass(frozen=True)
class Ports:
    """The port that each part would like; 0 asks for any free one."""

    postgres: int = 54329
    prefect: int = 4242
    emulator: int = 8765


def free_port(wanted: int) -> int:
    """Return `wanted`, or the next port above it that nothing listens on; any for 0.

    Raises:
        StackError: when the next hundred are all taken.
    """
    for port in range(wanted, wanted + TRIES):
        if bound := _bind(port):
            return bound
    tried = f"{wanted} to {wanted + TRIES - 1}"
    raise StackError(f"No port from {tried} is free on 127.0.0.1: end what listens there.")


def _bind(port: int) -> int | None:
    with socket.socket() as probe:
        # As servers do: connections left over from a killed one do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
