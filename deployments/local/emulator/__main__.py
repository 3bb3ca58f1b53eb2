"""Start the emulator: `python -m deployments.local.emulator --port 8765 --data DIR`."""

import argparse
import ipaddress
import os
import sys
from pathlib import Path

import uvicorn

from deployments.local.emulator.app import create_app
from deployments.local.emulator.store import Store


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m deployments.local.emulator")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free one")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--data", type=Path, required=True, help="where the state is kept")
    parser.add_argument("--access-log", action="store_true", help="print every call")
    parser.add_argument(
        "--trouble",
        type=float,
        default=os.environ.get("EMULATOR_TROUBLE"),
        help="scale of everyday trouble: 1 is what the field saw, 0 is none",
    )
    return parser.parse_args()


def main() -> None:
    """Serve until stopped."""
    chosen = options()
    if not is_loopback(chosen.host):
        sys.exit(f"The emulator listens on loopback only; {chosen.host} is not loopback.")
    if chosen.trouble is not None:
        store = Store(chosen.data)
        store.put_setting("trouble", float(chosen.trouble))
        store.close()
    uvicorn.run(
        create_app(chosen.data),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=chosen.access_log,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
