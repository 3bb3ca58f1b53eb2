"""Secrets planted in every setting, in every shape: nothing that goes wrong repeats one."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.adapters import telemetry
from tasks.adapters.gemini import gemini
from tasks.adapters.postgres import connect
from tasks.adapters.settings import Settings, settings
from tasks.core.errors import SettingsError

KEY = "pl4nted5ecret"
NOWHERE = "127.0.0.1:9"
DATABASE, GEMINI, OTEL = "BACKFILL_DATABASE_URL", "BACKFILL_GEMINI_URL", "BACKFILL_OTEL_ENDPOINT"
SHAPES = [
    *(
        (DATABASE, address)
        for address in (
            f"postgresql://me:{KEY}@{NOWHERE}/name",
            f"postgresql+psycopg://me:{KEY}@{NOWHERE}/name",
            f"postgresql://me:a@{KEY}@{NOWHERE}/name",
            f"postgresql://me:{KEY}%@{NOWHERE}/name",
            f"postgresql://me:a/{KEY}@{NOWHERE}/name",
            f"jdbc:postgresql://{NOWHERE}/name?user=me&password={KEY}",
            f"postgresql://{NOWHERE}/name?user=me&password={KEY}",
            f"host=127.0.0.1 port=9 user=me password={KEY} dbname=name",
            f"host=127.0.0.1 port=9 user=me password='{KEY} dbname=name",
            f"Server=127.0.0.1;Password={KEY};",
            f"mysql://me:{KEY}@{NOWHERE}/name",
            f"postgresql://me:{KEY}@no such host/name",
            f"postgresql://me:x@{NOWHERE}/name?options=-csearch_path%3D{KEY}&sslmode={KEY}",
            KEY,
        )
    ),
    *(("GEMINI_API_KEY", key) for key in (KEY, f"{KEY}\nb", f"ä{KEY}", f"a b {KEY}", f'"{KEY}"')),
    *((GEMINI, url) for url in (f"http://me:{KEY}@{NOWHERE}", f"http://{KEY}:x@{NOWHERE}", KEY)),
    *((OTEL, url) for url in (f"http://me:{KEY}@{NOWHERE}", f"http://{NOWHERE}?key={KEY}", KEY)),
    *(("BACKFILL_OTEL_HEADERS", said) for said in (KEY, f"a={KEY}", f"a b={KEY}\n", f"={KEY}")),
    *(
        (f"BACKFILL_{name.upper()}", KEY)
        for name, field in Settings.model_fields.items()
        if field.annotation not in (str, Path)
    ),
]


def complaint(do: Callable[[], object]) -> str:
    """Return all that an exception would show, with every exception that hangs on it."""
    try:
        return repr(do())
    except Exception as error:  # noqa: BLE001 - whatever it is
        return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("blank", ["", " ", "\t "])
def test_a_setting_that_is_blank_is_not_set(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"BACKFILL_{name.upper()}", blank)
    monkeypatch.setenv("GEMINI_API_KEY", blank)

    assert Settings() == Settings.model_construct()


@pytest.mark.parametrize(
    ("key", "at"),
    [(f"“{KEY}”", 1), (f"{KEY}\u200b", len(KEY) + 1), (f"'{KEY}'", 1), ("ab cd", 3), ("ab\ncd", 3)],
)
def test_a_key_that_none_can_be_is_said_so_and_sent_nowhere(
    monkeypatch: pytest.MonkeyPatch, key: str, at: int
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", key)

    with pytest.raises(SettingsError) as raised:
        Settings().require_api_key()

    assert str(raised.value) == (
        f"The Gemini API key cannot be one: its character {at} of {len(key)} is none that keys"
        " have. Copy it again, without quotes, blanks or what nobody sees, into GEMINI_API_KEY or"
        " the Prefect block 'gemini-api-key'."
    )


@pytest.mark.parametrize(
    "address",
    ["“https://g.test”", "https://g.test\u200b/v1", "https://g test", "g.test", "'http://g'"],
)
def test_an_address_that_none_can_be_is_said_so(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(GEMINI, address)
    monkeypatch.setenv(OTEL, address)
    settings.cache_clear()

    with pytest.raises(SettingsError, match="BACKFILL_GEMINI_URL: is no web address: write") as one:
        settings()

    monkeypatch.delenv(GEMINI)
    said = telemetry.problem()
    settings.cache_clear()
    assert said is not None
    assert said.startswith("BACKFILL_OTEL_ENDPOINT is no web address: write")
    assert address not in f"{one.value} {said}"


@pytest.mark.parametrize(("name", "value"), SHAPES)
def test_no_setting_is_repeated_by_what_goes_wrong_with_it(  # noqa: PLR0913, PLR0917 - fixtures
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    value: str,
) -> None:
    usual = {DATABASE: f"postgresql://me:x@{NOWHERE}/name", GEMINI: f"http://{NOWHERE}"}
    fixed = {"GEMINI_API_KEY": "x", OTEL: f"http://{NOWHERE}", "BACKFILL_WORK_DIR": str(tmp_path)}
    for each, said in {**usual, **fixed, name: value}.items():
        monkeypatch.setenv(each, said)
    monkeypatch.setenv("BACKFILL_DATABASE_PATIENCE_SECONDS", "0")
    settings.cache_clear()
    gemini.cache_clear()
    caplog.set_level(logging.DEBUG)

    said = [
        complaint(settings),
        complaint(connect),
        complaint(telemetry.problem),
        complaint(lambda: gemini()._client.models.count_tokens(model="m", contents="a")),
    ]

    settings.cache_clear()
    gemini.cache_clear()
    out = "".join(capfd.readouterr())
    assert not [each for each in (*said, caplog.text, out) if KEY in each]
