"""What tests share: a real Postgres, a database each, a running emulator, a whole stack."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from deployments.local.ports import Ports, free_port
from deployments.local.postgres import SETTINGS, Postgres, create_database
from deployments.local.processes import spawn, stop, wait
from deployments.local.stack import Stack

if TYPE_CHECKING:
    from deployments.local.emulator.serve import Address

TESTS = Path(__file__).parent
GROUP = pytest.StashKey[int]()
STACK, STOPPED = pytest.StashKey[Stack](), pytest.StashKey[Stack]()
# A form of a test's names files of its own directory.
os.environ.setdefault("BACKFILL_FILES_ROOT", tempfile.gettempdir())
USERS_OWN = ("BACKFILL_DATABASE_URL", "PREFECT_API_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY")


# A busy machine is no reason to fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests of one group share a process, and so its stack; the first groups are the longest.
FIRST = ("stack", "local/test_stack.py", "documents/test_documents_crashes.py")
LONG = {
    "operator/test_second_day.py": "second day",
    "chaos/test_chaos_moments.py": "killed at a moment",
    "engine/test_machine.py": "machine",
    "documents/test_documents_crashes.py": "documents killed",
    "workers": "workers",
    "flows": "stack",
    "operator": "operator",
    "chaos": "stopped",
    "core/test_fuzz.py": "fuzz",
    "browser": "browser",
}
"""Of the long tests each group has a stack of its own; of the others all share as few as can be."""


# Before xdist's own hook, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test into a group: its file, or what shares a stack."""
    order = [*LONG.values(), *FIRST]
    for item in items:
        group = _group(item, item.path.relative_to(TESTS))
        item.stash[GROUP] = order.index(group) if group in order else len(order)
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.stash[GROUP])


def _group(item: pytest.Item, place: Path) -> str:
    if item.get_closest_marker("long"):
        return LONG.get(str(place)) or LONG.get(place.parts[0]) or str(place)
    if _wants_stack(item):
        return "stack"
    return str(place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the stack again for a test that comes after one that did not want it."""
    if (stack := item.session.stash.get(STOPPED, None)) and _wants_stack(item):
        stack.up()
        del item.session.stash[STOPPED]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after a test before one that does not want it: an idle one keeps polling."""
    stack = item.session.stash.get(STACK, None)
    if stack and _wants_stack(item) and not (nextitem and _wants_stack(nextitem)):
        stack.down()
        item.session.stash[STOPPED] = stack


def _wants_stack(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what all trials of tests/chaos and the machine come to, in whichever process they ran."""
    said = [
        (name, value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
    ]
    for line in [value for name, value in said if name == "machine"]:
        terminalreporter.write_line(line)
    trials = [value for name, value in said if name == "chaos"]
    if not trials:
        return
    total = Counter[str]()
    for each in trials:
        total.update(each)
    seeds = ", ".join(str(seed) for seed in sorted({each["seed"] for each in trials}))
    terminalreporter.write_line(
        f"Chaos: {len(trials)} trials (seeds {seeds}), {total['kills']} kills,"
        f" {total['faults']} faults met, {total['rows']:,} rows compared,"
        f" duplicates paid: {total['twice']}, rows lost: {total['lost']}"
    )


@pytest.fixture(scope="session")
def session_dir() -> Iterator[Path]:
    """Yield a directory that Postgres's own account may enter, unlike pytest's."""
    place = Path(tempfile.mkdtemp(prefix="backfill-tests-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def postgres(session_dir: Path) -> Iterator[Postgres]:
    """Yield a running Postgres with nothing in it; it does not survive a power cut."""
    quick = {**SETTINGS, "fsync": "off", "full_page_writes": "off", "max_wal_size": "1GB"}
    server = Postgres(session_dir / "postgres", free_port(0), settings=quick)
    log = session_dir / "postgres.log"
    record = spawn(server, log, session_dir, dict(os.environ))
    wait(server, record, log, deadline=60)
    yield server
    if process := record.process():
        stop([process], server.stop_signal, server.patience)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers travel as they are declared: a test speaks of them by their fields' names."""
    from tasks import backfills

    for each in backfills.declared().values():
        monkeypatch.setitem(vars(each), "wire", "plain")


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """Yield the address of a fresh, empty database; it is dropped afterwards."""
    with _database(postgres, "template0") as url:
        yield url


@pytest.fixture
def database_url(postgres: Postgres, with_tables: str) -> Iterator[str]:
    """Yield the address of a fresh database with the ledger and the tables of passages, empty."""
    with _database(postgres, with_tables) as url:
        yield url


@pytest.fixture(scope="session")
def with_tables(postgres: Postgres) -> str:
    """Return the name of the database from which those with tables are copied."""
    from tasks.adapters.migrations import apply_migrations
    from tasks.adapters.postgres import idle, statements

    name = "with_tables"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        create_database(connection, name)
    with psycopg.connect(postgres.url(name)) as connection:
        connection.execute(statements("demo/passages.sql")["create_tables"])
    apply_migrations(postgres.url(name))
    idle.end()  # nobody may be in what is copied
    return name


@contextmanager
def _database(postgres: Postgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    create = "create database {} template {} strategy file_copy"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL(create).format(sql.Identifier(name), sql.Identifier(template)))
        yield postgres.url(name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def emulator_process(session_dir: Path) -> Iterator["Address"]:
    """Yield the session's emulator; tests that kill one start their own."""
    from deployments.local.emulator.serve import running

    with running(session_dir / "emulator") as address:
        yield address


@pytest.fixture
def emulator(emulator_process: "Address") -> "Address":
    """Return a running emulator that remembers nothing."""
    reset = f"{emulator_process.base_url}/_emulator/reset"
    httpx.post(reset, trust_env=False).raise_for_status()
    return emulator_process


@pytest.fixture(scope="session")
def plain_environment() -> dict[str, str]:
    """Return our environment without a database, server or key of the user's own."""
    kept = {name: value for name, value in os.environ.items() if name not in USERS_OWN}
    # Prefect looks for schedules once a minute, and a test would wait for that.
    return {**kept, "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5"}


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, session_dir: Path, plain_environment: dict[str, str]
) -> Iterator[Stack]:
    """Yield a whole stack, with everything in prefect.yaml deployed, on ports of its own."""
    whole = Stack(session_dir / "stack", Ports(0, 0, 0), environment=plain_environment)
    request.session.stash[STACK] = whole
    try:
        whole.up()
        yield whole
    finally:
        whole.down()


@pytest.fixture
def prefect_env(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Yield the stack, joined by this process: Prefect, settings and subprocesses alike."""
    import prefect.settings
    from prefect.settings import temporary_settings

    joined = stack.addresses().environment(stack.home)
    for name, value in joined.items():
        monkeypatch.setenv(name, value)
    names = [name for name in joined if name.startswith("PREFECT_")]
    with temporary_settings({getattr(prefect.settings, name): joined[name] for name in names}):
        yield stack
