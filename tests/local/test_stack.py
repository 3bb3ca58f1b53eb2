import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from deployments.local import prefect_api
from deployments.local.__main__ import up
from deployments.local.addresses import Own
from deployments.local.errors import StackError
from deployments.local.ports import Ports
from deployments.local.processes import marked
from deployments.local.stack import Stack

Small = tuple[Stack, list[str]]
PARTS = ("postgres", "prefect", "worker", "emulator")


def pids(stack: Stack) -> dict[str, int | None]:
    return {line.name: line.pid for line in stack.status()}


def in_joined_shell(stack: Stack, command: str) -> str:
    """Run a command in a bash that knows nothing but `.local/env`."""
    script = f"source {stack.home / 'env'} && {command}"
    path = {"PATH": os.environ["PATH"]}
    return subprocess.check_output(["bash", "-c", script], env=path, text=True)


def run_deployment(stack: Stack) -> dict[str, str]:
    """Run the deployment and return its last state."""
    with prefect_api.client(stack.environment()) as api:
        deployment = api.get("/deployments/name/hello/small").raise_for_status().json()["id"]
        run = api.post(f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            state: dict[str, str] = api.get(f"/flow_runs/{run}").json()["state"]
            if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return state
            time.sleep(0.1)
    raise TimeoutError(run)


def test_every_part_answers_after_up(small: Small) -> None:
    stack, _ = small

    addresses = stack.addresses()
    with prefect_api.client(stack.environment()) as api:
        deployments = api.post("/deployments/filter", json={}).json()
    ui = httpx.get(f"{addresses.prefect_url}/", follow_redirects=True)
    emulator = httpx.get(f"{addresses.gemini_url}/_emulator")
    with psycopg.connect(addresses.database_url or "") as connection:
        ledger = connection.execute("select to_regclass('backfill.generations')").fetchone()

    assert all(pids(stack).get(part) for part in PARTS)
    assert [deployment["name"] for deployment in deployments] == ["small"]
    assert "Prefect" in ui.text
    assert emulator.is_success
    assert ledger == ("backfill.generations",)


def test_a_second_up_changes_nothing_and_says_so(small: Small) -> None:
    stack, said = small
    before = pids(stack)

    stack.up()

    assert pids(stack) == before
    assert said[-1] == "Everything runs already; nothing was changed."


def test_the_up_command_leaves_sample_data_and_says_how_to_enter(
    small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, _ = small

    code = up(stack)

    with psycopg.connect(stack.postgres.url("app")) as connection:
        passages = connection.execute("select count(*) from passages").fetchone()
    shown = capsys.readouterr().out
    assert stack.server.secret in shown
    assert (code, passages) == (0, (300,))
    assert f"Open {stack.server.url} in a browser, and try: make gemini_passage_pilot" in shown
    assert (stack.home / "samples" / "songs.csv").exists()


def test_a_shell_joins_by_sourcing_the_env_file(small: Small) -> None:
    stack, _ = small

    out = in_joined_shell(stack, 'echo "$BACKFILL_DATABASE_URL|$GEMINI_API_KEY|$PREFECT_API_URL"')

    addresses = stack.addresses()
    expected = [addresses.database_url, "emulator-key", addresses.prefect_api_url]
    assert out.strip().split("|") == expected
    ours = Path(sys.executable).with_name("prefect")
    assert in_joined_shell(stack, "command -v prefect").strip() == str(ours)


def test_the_server_obeys_nobody_without_the_secret_and_no_page_of_another_origin(
    small: Small,
) -> None:
    stack, _ = small
    url = f"{stack.server.api_url}/deployments/filter"
    admitted = {"Authorization": f"Basic {b64encode(stack.server.secret.encode()).decode()}"}

    def asked(method: str, origin: str, **headers: str) -> httpx.Response:
        wanted = {"Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {}
        return httpx.request(method, url, headers={"Origin": origin, **wanted, **headers})

    ours = asked("OPTIONS", stack.server.url)
    theirs = asked("OPTIONS", "http://elsewhere.test")
    simple = asked("POST", "http://elsewhere.test", **{"Content-Type": "text/plain"})
    tokenless = asked("POST", stack.server.url, **admitted)
    secretless = httpx.get(f"{stack.server.api_url}/admin/version")

    assert (ours.status_code, theirs.status_code) == (200, 400)
    assert "access-control-allow-origin" not in theirs.headers
    assert (simple.status_code, tokenless.status_code) == (403, 403)
    assert simple.headers.get("access-control-allow-origin") is None
    assert secretless.status_code == 401


def test_secrets_are_readable_by_their_owner_only(small: Small) -> None:
    stack, _ = small

    modes = [
        stat.S_IMODE(path.stat().st_mode)
        for path in (
            stack.home / "env",
            stack.home / "postgres" / "password",
            stack.home / "prefect" / "password",
        )
    ]

    others = [path for path in stack.home.iterdir() if path.name != "postgres"]
    assert modes == [0o600] * 3
    assert [path for path in others if path.stat().st_mode & 0o077] == []


def test_the_passwords_are_in_no_log_and_no_command_line(small: Small) -> None:
    stack, said = small
    passwords = (stack.postgres.password, stack.server.secret.removeprefix("admin:"))
    shown = (repr(stack.server), repr(stack.worker), repr(stack.addresses()))

    command_lines = [" ".join(process.cmdline()) for process in marked(stack.home)]
    logs = [path.read_text() for path in (stack.home / "logs").iterdir()]

    assert len(command_lines) >= len(PARTS)
    assert len(logs) >= len(PARTS)
    texts = (*command_lines, *logs, *said, *shown)
    assert not any(password in text for text in texts for password in passwords)


def test_nothing_listens_beyond_loopback(small: Small) -> None:
    stack, _ = small

    listening = [
        connection.laddr.ip
        for process in marked(stack.home)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_rows_and_the_prefect_server_survive_a_killed_postgres(small: Small) -> None:
    stack, _ = small
    url = stack.postgres.url("app")
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")

    stack.kill("postgres")
    gone = stack.pid("postgres")
    stack.start("postgres")

    with psycopg.connect(url) as connection:
        count = connection.execute("select count(*) from kept").fetchone()
        connection.execute("drop table kept")
    assert gone is None
    assert count == (1000,)
    assert run_deployment(stack)["type"] == "COMPLETED"


@pytest.mark.parametrize("part", ["worker", "prefect", "emulator"])
def test_a_killed_part_starts_again_where_it_was(small: Small, part: str) -> None:
    stack, _ = small
    before = stack.pid(part), stack.addresses()

    stack.kill(part)
    stack.start(part)

    assert stack.pid(part) not in (None, before[0])
    assert stack.addresses() == before[1]


def test_the_worker_runs_deployments_after_all_of_this(small: Small) -> None:
    stack, _ = small

    state = run_deployment(stack)

    assert state["type"] == "COMPLETED", state


def test_down_leaves_no_process_and_up_finds_the_data_again(small: Small) -> None:
    stack, _ = small
    with psycopg.connect(stack.postgres.url("app")) as connection:
        connection.execute("create table stays (n integer)")

    stopped = stack.down()
    left = marked(stack.home)
    stack.up()

    with psycopg.connect(stack.postgres.url("app")) as connection:
        connection.execute("drop table stays")
    assert stopped == ["worker", "prefect", "emulator", "postgres"]
    assert left == []


def test_ports_that_something_else_has_are_passed_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = Stack(tmp_path, Ports(port, port, port))
        stack.home.mkdir()

        stack._choose_ports()

    chosen = stack.state.ports.values()
    assert port not in chosen
    assert len(set(chosen)) == 3
    assert json.loads((stack.home / "stack.json").read_text())["ports"] == stack.state.ports


def test_what_the_user_brings_is_used_and_not_started(tmp_path: Path) -> None:
    theirs = {
        "BACKFILL_DATABASE_URL": "postgresql://me@example.test/mine",
        "PREFECT_API_URL": "https://prefect.example.test/api",
        "GEMINI_API_KEY": "their-key",
        "BACKFILL_POLL_SECONDS": "45",
    }
    (tmp_path / "backfills.toml").touch()
    stack = Stack(tmp_path, project=tmp_path, environment={**theirs, "BACKFILL_SITE_FILE": ""})

    parts = [line.name for line in stack.status()]
    environment = stack.environment()

    assert parts == ["worker"]
    assert theirs.items() <= environment.items()
    assert environment["BACKFILL_SITE_FILE"] == str(tmp_path / "backfills.toml")
    assert not {"BACKFILL_GEMINI_URL", "PREFECT_HOME"} & environment.keys()


def test_a_joined_shell_does_not_count_as_the_users_own(small: Small) -> None:
    stack, _ = small
    joined = Stack(stack.home.parent, environment=stack.environment())

    own = joined.own

    assert own == Own(database=False, prefect=False, gemini=False)


def test_a_second_command_at_the_same_time_steps_aside(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.home.mkdir()

    with (stack.home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(StackError, match="Another `up` or `down` works on this stack"):
            stack.up()


def test_an_interrupted_up_leaves_nothing_running(session_dir: Path) -> None:
    root = session_dir / "interrupted"
    up = subprocess.Popen(
        [*(sys.executable, "-m", "deployments.local", "up"), "--root", str(root)],
        env={**os.environ, "GEMINI_API_KEY": "their-key"},
        stdout=subprocess.PIPE,
        text=True,
    )
    saved = root / ".local" / "stack.json"
    while up.poll() is None and not (saved.exists() and '"prefect": {' in saved.read_text()):
        time.sleep(0.01)

    up.send_signal(signal.SIGINT)
    out, _ = up.communicate(timeout=60)

    assert up.returncode == 1
    assert "Interrupted" in out
    assert marked(root / ".local") == []


def test_the_command_line_reports_a_stack_that_does_not_run(tmp_path: Path) -> None:
    status = subprocess.run(
        [*(sys.executable, "-m", "deployments.local", "status"), "--root", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert status.returncode == 1
    assert status.stdout.count("stopped") == len(PARTS)
