import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.local.addresses import Addresses, Own

OURS = Addresses("postgresql://ours/app", "http://127.0.0.1:4242", "http://127.0.0.1:8765")
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
    without_emulator = Addresses(OURS.database_url, OURS.prefect_url, None)

    joined = without_emulator.join(HOME, joined_before)

    assert joined["GEMINI_API_KEY"] == "theirs"
    assert "BACKFILL_GEMINI_URL" not in joined


def test_the_password_is_not_shown_with_the_addresses() -> None:
    assert "ours/app" not in repr(OURS)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_bash_reads_back_whatever_was_written(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    home = tmp_path_factory.mktemp("home")

    env = Addresses(value, None, None).write(home)
    script = f'source {env} && printf %s "$BACKFILL_DATABASE_URL"'
    read = subprocess.check_output(["bash", "-c", script])

    assert read.decode() == value
