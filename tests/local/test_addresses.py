import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.local.addresses import QUICK, Addresses, Own

OURS = Addresses("postgresql://ours/app", "http://127.0.0.1:4242", "http://127.0.0.1:8765")
WITHOUT_EMULATOR = replace(OURS, gemini_url=None)
HOME = Path("/somewhere/.local")


def test_an_untouched_environment_brings_nothing() -> None:
    own = Own.among({"PATH": "/bin", "GEMINI_API_KEY": ""}, OURS)

    assert own == Own(database=False, prefect=False, gemini=False)


def test_values_from_the_env_file_are_not_the_users_own() -> None:
    own = Own.among(OURS.environment(HOME), OURS)

    assert own == Own(database=False, prefect=False, gemini=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BACKFILL_DATABASE_URL", Own(database=True, prefect=False, gemini=False)),
        ("PREFECT_API_URL", Own(database=False, prefect=True, gemini=False)),
        ("GEMINI_API_KEY", Own(database=False, prefect=False, gemini=True)),
        ("GOOGLE_API_KEY", Own(database=False, prefect=False, gemini=True)),
    ],
)
def test_each_of_the_users_own_is_recognised(name: str, expected: Own) -> None:
    environment = {**OURS.environment(HOME), name: "theirs"}

    assert Own.among(environment, OURS) == expected


def test_a_real_key_is_never_sent_to_the_emulators_address() -> None:
    joined_before = {**OURS.environment(HOME), "GEMINI_API_KEY": "theirs"}

    joined = WITHOUT_EMULATOR.join(HOME, joined_before)

    assert joined["GEMINI_API_KEY"] == "theirs"
    assert "BACKFILL_GEMINI_URL" not in joined


THEIRS = {
    "GEMINI_API_KEY": "theirs",
    "BACKFILL_GEMINI_URL": "https://gemini.example",
    "BACKFILL_POLL_SECONDS": QUICK["BACKFILL_POLL_SECONDS"],  # as it happens
    "BACKFILL_RECREATE_AFTER_SECONDS": "300",
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "45",
    "BACKFILL_WORKER_GRACE_SECONDS": "90",
    "PREFECT_WORKER_QUERY_SECONDS": "9",
}


def test_the_users_own_settings_stay_with_their_own_key() -> None:
    joined = WITHOUT_EMULATOR.join(HOME, THEIRS)

    assert joined == {**joined, **THEIRS}
    assert set(QUICK) & set(joined) == set(QUICK) & set(THEIRS)


def test_the_users_own_settings_stay_also_after_another_stack_was_joined() -> None:
    elsewhere = replace(OURS, gemini_url="http://127.0.0.1:9999").environment(HOME)
    shell = {**elsewhere, **THEIRS, "BACKFILL_POLL_SECONDS": "7"}

    joined = WITHOUT_EMULATOR.join(HOME, shell)

    assert joined == {**joined, **THEIRS, "BACKFILL_POLL_SECONDS": "7"}
    assert "BACKFILL_REQUESTS_PER_MINUTE" not in joined
    assert "9999" not in str(joined)


def test_the_users_own_settings_go_before_the_emulators_and_into_its_env_file(
    tmp_path: Path,
) -> None:
    given = {"BACKFILL_POLL_SECONDS": "3", "BACKFILL_LEASE_SECONDS": "20"}

    joined = OURS.join(HOME, given)
    env = OURS.write(tmp_path, given).read_text()

    assert joined == {**OURS.environment(HOME), **given}
    assert "export BACKFILL_POLL_SECONDS=3\n" in env
    assert "LEASE_SECONDS" not in env


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_what_is_empty_is_not_set(empty: str) -> None:
    names = [*THEIRS, "BACKFILL_DATABASE_URL", "BACKFILL_SITE_FILE", "GOOGLE_API_KEY"]
    given = {**dict.fromkeys(names, empty), "NOT_OURS": empty}

    assert Own.among(given, OURS) == Own(database=False, prefect=False, gemini=False)
    assert OURS.join(HOME, given) == {**OURS.environment(HOME), "NOT_OURS": empty}


def test_the_password_is_not_shown_with_the_addresses() -> None:
    assert "ours/app" not in repr(OURS)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_bash_reads_back_whatever_was_written(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    home = tmp_path_factory.mktemp("home")

    env = Addresses(value, None, None).write(home, {})
    script = f'source {env} && printf %s "$BACKFILL_DATABASE_URL"'
    read = subprocess.check_output(["bash", "-c", script])

    assert read.decode() == value
