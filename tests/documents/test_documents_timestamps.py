from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents.core.timestamps import instant, iso

NOON = 1_735_732_800_000_000  # 2025-01-01T12:00:00Z
MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - the zone comes from the next strategy
    max_value=datetime(9990, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01T12:00:00Z",
        "2025-01-01T12:00:00+00:00",
        "2025-01-01 12:00:00",  # no zone is UTC
        "2025-01-01 12:00:00 UTC",
        "2025-01-01T14:00:00+02:00",
        "2025-01-01T17:30:00.000+05:30",
        "2025-01-01 04:00:00 -0800",
        "20250101_120000",
        "20250101120000",
        "20250101T120000Z",
        "2025010112",
        "202501011200",
        "20250101120000.000",
        "20250101120000000",
        "20250101120000000000",
        "20250101-120000",
        "2025-01-01_12-00-00",
        "2025-01-01T12-00-00",
        "2025/01/01 12:00:00",
        "Jan 01, 2025 12:00:00 PM",
        "01 Jan 2025 12:00:00",
        "Wed, 01 Jan 2025 12:00:00 +0000",
        "Wed, 01 Jan 2025 07:00:00 EST",
        "1735732800",
        "1735732800.0",
        "1735732800000",
        "1735732800000000",
        "  2025-01-01T12:00:00Z ",
    ],
)
def test_the_same_instant_in_any_format_is_the_same_number(text: str) -> None:
    assert instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "03/04/2025 10:00",
        "2025-13-01",
        "202513011200",
        "12",
        "1.2.3",
        "0001-01-01",
        "٣",
        "nan",
    ],
)
def test_what_is_not_clearly_a_timestamp_is_none(text: str) -> None:
    assert instant(text) is None


@given(MOMENTS, MOMENTS)
def test_instants_are_ordered_as_the_moments_are(a: datetime, b: datetime) -> None:
    first, second = instant(a.isoformat()), instant(b.isoformat())

    assert first is not None
    assert second is not None
    assert (first < second) == (a < b)


@given(MOMENTS)
def test_iso_and_instant_are_inverse(moment: datetime) -> None:
    number = instant(moment.isoformat())

    assert number is not None
    assert instant(iso(number)) == number
    assert datetime.fromisoformat(iso(number)) == moment.astimezone(UTC)


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = instant(text)

    assert found is None or found >= 0
