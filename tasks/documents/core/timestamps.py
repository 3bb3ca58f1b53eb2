"""Timestamps as people and programs write them, as instants that can be compared."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 9999
_MICROSECOND = timedelta(microseconds=1)
# Day/month order is never guessed: 03/04/2025 is not a timestamp here.
_FORMATS = (
    "%Y%m%d_%H%M%S",
    "%Y%m%d-%H%M%S",
    "%Y-%m-%d_%H-%M-%S",
    "%Y-%m-%dT%H-%M-%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S %z",
    "%b %d, %Y %I:%M:%S %p",
    "%d %b %Y %H:%M:%S",
)
# By their digits; the last ones have milli- and microseconds.
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"} | dict.fromkeys(
    (17, 20), "%Y%m%d%H%M%S%f"
)
_UNIX_DIGITS = {10: 1_000_000, 13: 1_000, 16: 1}


def instant(text: str) -> int | None:
    """Return microseconds since 1970 UTC, or None for what is not clearly a timestamp.

    A timestamp without a zone is taken as UTC.
    """
    text = text.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return _from_number(text)
    return _microseconds(_from_text(text.removesuffix(" UTC")))


def iso(microseconds: int) -> str:
    """Return an instant as ISO 8601 in UTC."""
    return (EPOCH + microseconds * _MICROSECOND).isoformat()


def _microseconds(moment: datetime | None) -> int | None:
    """Return None too for what no model can have been asked at: before 1970."""
    if moment is None or not EPOCH.year <= moment.year < _LAST_YEAR:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - EPOCH) // _MICROSECOND, 0)


def _from_number(text: str) -> int | None:
    """Read Unix seconds, milli- or microseconds, or a date written without separators.

    Of ten digits that are a date and hour of this century, the seconds are in the thirties of it.
    """
    whole, _, fraction = text.partition(".")
    if len(whole) in _COMPACT and (len(whole) != 10 or whole.startswith("20")):  # noqa: PLR2004
        with suppress(ValueError):
            layout = _COMPACT[len(whole)] + ".%f" * bool(fraction)
            return _microseconds(datetime.strptime(text, layout))  # noqa: DTZ007 - as below
    if scale := _UNIX_DIGITS.get(len(whole)):
        return int(whole) * scale + int(fraction[:6].ljust(6, "0")) * scale // 1_000_000
    return None


def _from_text(text: str) -> datetime | None:
    if text[4:5] == text[7:8] == "-":  # what programs write: worth no attempts before
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    for layout in _FORMATS:
        with suppress(ValueError):
            return datetime.strptime(text, layout)  # noqa: DTZ007 - a missing zone is UTC here
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    with suppress(ValueError, IndexError, TypeError):
        return parsedate_to_datetime(text)
    return None
