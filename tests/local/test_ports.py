import socket

import pytest

from deployments.local import ports
from deployments.local.errors import StackError


def test_a_free_port_is_taken_as_wished() -> None:
    wanted = ports.free_port(0)

    assert ports.free_port(wanted) == wanted


def test_a_taken_port_gives_way_to_one_above_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert port < ports.free_port(port) < port + ports.TRIES


def test_a_machine_without_a_free_port_is_told_which_were_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(StackError, match=f"No port from {port} to {port} is free"):
            ports.free_port(port)
