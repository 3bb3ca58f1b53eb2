"""The embedded stack: Postgres, the Prefect server, a worker and the Gemini emulator."""

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from deployments.local import deploy, interrupts
from deployments.local.addresses import Addresses, Own
from deployments.local.errors import StackError
from deployments.local.gemini_emulator import GeminiEmulator
from deployments.local.part import Part
from deployments.local.ports import Ports, free_port
from deployments.local.postgres import Postgres
from deployments.local.prefect_server import PrefectServer
from deployments.local.prefect_worker import PrefectWorker
from deployments.local.processes import Record, kill, marked, spawn, stop, wait
from deployments.local.state import State

PROJECT = Path(__file__).parents[2]
FILES_ROOT = "BACKFILL_FILES_ROOT"
READY_SECONDS = 120.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Status:
    """How one part fares: its process if it runs, and its address."""

    name: str
    pid: int | None
    address: str


class Stack:
    """The processes whose data lies in `root/.local`.

    Args:
        root: the directory that gets `.local`.
        ports: the ports to try first; 0 asks for any free one.
        project: the directory of prefect.yaml.
        environment: where the user's own database, server or key is looked for.
        say: takes each sentence for the user.
    """

    def __init__(
        self,
        root: Path,
        ports: Ports | None = None,
        project: Path = PROJECT,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.home = root.resolve() / ".local"
        self.project = project
        self._wanted: dict[str, int] = asdict(ports or Ports())
        self._given = dict(os.environ if environment is None else environment)
        self._say = say
        self.state = State.load(self.home / "stack.json")

    # What there is

    @property
    def postgres(self) -> Postgres:
        """The Postgres of this stack."""
        return Postgres(self.home / "postgres", self._port("postgres"))

    @property
    def server(self) -> PrefectServer:
        """The Prefect server of this stack."""
        database = self.postgres.url("prefect", scheme="postgresql+asyncpg")
        return PrefectServer(self.home / "prefect", self._port("prefect"), database)

    @property
    def emulator(self) -> GeminiEmulator:
        """The Gemini emulator of this stack."""
        return GeminiEmulator(self.home / "emulator", self._port("emulator"))

    @property
    def worker(self) -> PrefectWorker:
        """The worker of this stack; it serves the user's own Prefect server if there is one."""
        return PrefectWorker(self.home / "worker", self.environment())

    def _port(self, name: str) -> int:
        return self.state.ports.get(name, self._wanted[name])

    @property
    def own(self) -> Own:
        """What the user brings instead."""
        ours = Addresses(self.postgres.url("app"), self.server.url, self.emulator.url)
        return Own.among(self._given, ours)

    def groups(self) -> list[list[Part]]:
        """Return the parts that this stack runs, in the order of starting; a group at a time."""
        own = self.own
        return [
            [] if own.database and own.prefect else [self.postgres],
            [*([] if own.gemini else [self.emulator]), *([] if own.prefect else [self.server])],
            [self.worker],
        ]

    def addresses(self) -> Addresses:
        """Return where the parts of this stack are found."""
        own = self.own
        return Addresses(
            None if own.database else self.postgres.url("app"),
            None if own.prefect else self.server.url,
            None if own.gemini else self.emulator.url,
            None if own.prefect else self.server.secret,
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that has joined this stack."""
        joined = self.addresses().join(self.home, self._given)
        site = self.project / "backfills.toml"
        # A worker begins elsewhere, and must find the same file.
        found = {"BACKFILL_SITE_FILE": str(site), **joined} if site.is_file() else joined
        return {**found, FILES_ROOT: self._files_root(found.get(FILES_ROOT))}

    def _files_root(self, given: str | None) -> str:
        """Return where a form may name files: in the project, or as given, and among samples."""
        samples = (self.home / "samples", self.home / "documents")
        return os.pathsep.join(dict.fromkeys([given or str(self.project), *map(str, samples)]))

    def pid(self, name: str) -> int | None:
        """Return the process id of a part, or None when it does not run."""
        record = self.state.records.get(name)
        return record.pid if record and record.process() else None

    def log(self, name: str) -> Path:
        """Return the file with everything that a part has printed."""
        return self.home / "logs" / f"{name}.log"

    def status(self) -> list[Status]:
        """Return one line for each part that this stack runs."""
        places = {
            "postgres": f"127.0.0.1:{self._port('postgres')}",
            "prefect": self.server.url,
            "emulator": self.emulator.url,
            "worker": "work pool backfills",
        }
        parts = [part for group in self.groups() for part in group]
        return [Status(part.name, self.pid(part.name), places[part.name]) for part in parts]

    # What it does

    def up(self) -> Addresses:
        """Start what does not run, deploy, and return the addresses; on trouble undo the starts.

        Raises:
            StackError: when a part does not answer, or another command works on this stack.
        """
        with self._alone(), ExitStack() as undo:
            self._choose_ports()
            *first, last = self.groups()
            started = [part for group in first for part in self._start_group(group, undo)]
            worker = self._spawn_missing(last, undo)
            if started or worker or self.state.deployed != deploy.digest(self.project):
                self.deploy()
            else:
                self._say("Everything runs already; nothing was changed.")
            for part in worker:
                self._settle(part)
            self.addresses().write(self.home, self._given)
            interrupts.check()
            undo.pop_all()
        return self.addresses()

    def deploy(self) -> None:
        """Migrate the application's database and deploy everything in prefect.yaml.

        Raises:
            StackError: when Prefect refuses.
        """
        environment = self.environment()
        deploy.migrate(environment["BACKFILL_DATABASE_URL"], self._say)
        digest = deploy.digest(self.project)
        deploy.everything(self.project, environment, self.log("deploy"), self._say)
        self.state.deployed = digest
        self.state.save()

    def _start_group(self, group: list[Part], undo: ExitStack) -> list[Part]:
        """Start at once what of `group` does not run; return it when all of it answers."""
        missing = self._spawn_missing(group, undo)
        for part in missing:
            self._settle(part)
        return missing

    def _spawn_missing(self, group: list[Part], undo: ExitStack) -> list[Part]:
        missing = [part for part in group if self.pid(part.name) is None]
        for part in missing:
            undo.callback(self._stop, part)
            self._spawn(part)
        return missing

    def _choose_ports(self) -> None:
        """Keep the port of every part that runs; let the others find a free one."""
        taken: set[int] = set()
        for name, wanted in self._wanted.items():
            if self.pid(name) is None:
                port = free_port(self.state.ports.get(name, wanted))
                while port in taken:
                    port = free_port(port + 1)
                self.state.ports[name] = port
            taken.add(self.state.ports[name])
        self.state.save()

    def _spawn(self, part: Part) -> None:
        record = spawn(part, self.log(part.name), self.home, self.environment())
        self.state.records[part.name] = record
        self.state.save()

    def _settle(self, part: Part) -> None:
        wait(part, self.state.records[part.name], self.log(part.name), READY_SECONDS)
        part.settle()

    def start(self, name: str) -> int:
        """Start one part on the port it had; return its process id when it answers."""
        part = self._part(name)
        if (pid := self.pid(name)) is not None:
            return pid
        self._spawn(part)
        self._settle(part)
        return self.state.records[name].pid

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one part's process; after SIGKILL, return when it is gone."""
        record = self.state.records.get(name)
        process = record.process() if record else None
        if process is None:
            raise StackError(f"The part `{name}` does not run.")
        if how == signal.SIGKILL:
            stop([process], how, STOP_SECONDS)
        else:
            process.send_signal(how)

    def down(self) -> list[str]:
        """Stop everything that was started here, last first; return the names of what ran."""
        if not self.home.exists():
            return []
        with self._alone():
            parts: list[Part] = [self.worker, self.server, self.emulator, self.postgres]
            self._stop_flows()  # while there is a worker to tell a server what became of them
            return [part.name for part in parts if self._stop(part)]

    def _stop_flows(self) -> None:
        """Stop the flow processes, also those that outlived a killed worker."""
        worker = self.pid("worker")
        flows = [process for process in marked(self.home, "worker") if process.pid != worker]
        stop(flows, signal.SIGTERM, STOP_SECONDS)

    def _stop(self, part: Part) -> bool:
        record: Record | None = self.state.records.pop(part.name, None)
        process = record.process() if record else None
        if process is not None:
            stop([process], part.stop_signal, part.patience)
        kill(part.strays())
        self.state.save()
        return process is not None

    def _part(self, name: str) -> Part:
        for part in (part for group in self.groups() for part in group):
            if part.name == name:
                return part
        raise StackError(f"This stack runs no part named `{name}`.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second `up` or `down` from working on the same stack."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    "Another `up` or `down` works on this stack: wait until it has finished."
                ) from None
            self.state = State.load(self.home / "stack.json")
            self._close()
            yield
            self._close()

    def _close(self) -> None:
        """Let nobody else read what lies here, whatever made it and when."""
        # Root's Postgres runs as another account, which passes through to a folder of its own.
        is_root = os.geteuid() == 0
        self.home.chmod(0o711 if is_root else 0o700)
        for path in self.home.iterdir():
            if not (is_root and path.name == Postgres.name):
                with suppress(FileNotFoundError):  # a running process may replace its files
                    path.chmod(0o700 if path.is_dir() else 0o600)

    def remove(self) -> None:
        """Delete all data of the stopped stack, also what Postgres keeps elsewhere."""
        self.postgres.remove()
        shutil.rmtree(self.home)
