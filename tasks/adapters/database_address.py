"""The database's address in the shapes that people have it in, and what of it may be shown."""

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tasks.core.errors import SettingsError
from tasks.core.unseen import without_unseen

Parts = dict[str, object]

UNREADABLE = (
    "The database's address (BACKFILL_DATABASE_URL) cannot be read, and is not shown because it may"
    " hold a password: write postgresql://user:password@host:5432/name, with @ : / % in the"
    " password as %40 %3A %2F %25; or host=... port=... user=... password='...' dbname=..."
)
_SCHEME = re.compile(r"postgres(ql)?(\+\w+)?://", re.IGNORECASE)
# What is shown, or said by the server, must not be a password that landed in the wrong place.
_HOST = r"(/[^,]*|[\w.-]*|[\da-f:.]+(%\w+)?)"
_MODES = "disable|allow|prefer|require|verify-ca|verify-full"
_SHAPES = {
    "host": re.compile(rf"{_HOST}(,{_HOST})*", re.IGNORECASE),
    "port": re.compile(r"[\d,]*"),
    "user": re.compile(r"[^:/;=]*"),
    "dbname": re.compile(r"[^:/;=]*"),
    **dict.fromkeys(("sslmode", "gssencmode", "channel_binding"), re.compile(_MODES)),
    **dict.fromkeys(("connect_timeout", "keepalives", "keepalives_idle"), re.compile(r"\d*")),
}
_OTHER = re.compile(r"[^;=]*")
_FIELDS = {
    "host": "host",
    "port": "port",
    "user": "username",
    "password": "password",
    "dbname": "database",
}
_SECRET = {"password", "sslpassword", "options"}


def clean(address: str) -> str:
    """Return an address as libpq takes it; raise what to write where it cannot be read.

    That says nothing of the address: who misreads it does not know where the password is.
    """
    cleaned = _SCHEME.sub("postgresql://", address.strip(), count=1)
    if without_unseen(cleaned) != cleaned or not (_one_at(cleaned) and _plausible(_parts(cleaned))):
        raise SettingsError(UNREADABLE)
    return cleaned


def of_block(block: Mapping[str, Any]) -> str:
    """Return the address in the fields of a SqlAlchemyConnector, whose engine wants a driver."""
    given, more = block["connection_info"], block.get("connect_args") or {}
    try:
        if isinstance(given, str):
            return make_conninfo(clean(given), **more)
        named = {key: given[field] for key, field in _FIELDS.items() if given.get(field)}
        return make_conninfo(**{**(given.get("query") or {}), **named, **more})
    except psycopg.Error:
        pass  # what it says may hold a password
    raise SettingsError(UNREADABLE)


def place(address: str) -> str:
    """Return the host, port and database of a clean address, for people."""
    parts = _parts(address) or {}
    host = parts.get("host") or parts.get("hostaddr") or "the local socket"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{host}{port} (database '{parts.get('dbname', '')}')"


def _parts(address: str) -> Parts | None:
    try:
        return dict(conninfo_to_dict(address))
    except (psycopg.Error, UnicodeError):
        return None  # their texts show the address, and so would an exception that hangs on them


def _one_at(address: str) -> bool:
    """Return whether only the end of the password is marked by @: libpq takes the first one."""
    if not address.startswith("postgresql://"):
        return True
    authority, _, path = address.removeprefix("postgresql://").partition("/")
    return authority.count("@") <= 1 and "@" not in path.partition("?")[0]


def _plausible(parts: Parts | None) -> bool:
    return parts is not None and all(
        _SHAPES.get(name, _OTHER).fullmatch(str(value))
        for name, value in parts.items()
        if name not in _SECRET
    )
