"""A secret of the stack's own, in a file that only its owner reads."""

import secrets
from pathlib import Path


def kept(path: Path) -> str:
    """Return the secret at `path`, made on first use with mode 600."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()
