"""The embedded system: runs the services as child processes, watches over them, and drains them.

One supervisor owns a data folder. The children inherit its lock on the folder, so that after a SIGKILL of
the supervisor the folder stays locked until the last of them has ended; a pipe whose write end only the
supervisor holds tells them that it is gone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import queue
import shlex
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from recordroute_runtime.addresses import is_local

from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import SERVER_FILE, ServerInfo, join_address, read_server
from recordroute_cli.process import Child, ServiceLog, describe_exit
from recordroute_cli.stop_signals import StopSignals

LOCK_FILE = "server.lock"
RUN_PREFIX = "recordroute-"
# The limit of a socket's path is 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_BYTES = 100
LOCK_WAIT_SECONDS = 15.0
STOP_SECONDS = 12.0
QUICK_CRASHES = 5
BACKOFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 30.0
HEALTH_SECONDS = 0.1
# recordroute_runtime.server leaves with it where the settings are wrong: a restart would change nothing.
SETTINGS_EXIT_CODE = 2
LIFELINE_VARIABLE = "RECORDROUTE_LIFELINE_FD"

# OpenMP's spinning threads starve one another where cores are few: decoding fell to a sixteenth.
EMBEDDED_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "0",
    "OMP_WAIT_POLICY": "passive",
    "RECORDROUTE_LOG_FORMAT": "human",
}
# A single arena that keeps its memory: transcription is a fifth faster for 150 MiB.
STT_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}
# Uploads come by the megabyte: giving such memory back to the system each time costs a third of the receiving.
GATEWAY_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "67108864",
    "MALLOC_TRIM_THRESHOLD_": "67108864",
}
SERVICE_ENVIRONMENTS = {"stt": STT_ENVIRONMENT, "gateway": GATEWAY_ENVIRONMENT}
DRAIN_SECONDS = "3"
MODELS_COMMAND = (sys.executable, "-m", "recordroute_cli", "models")


@dataclass(frozen=True)
class ServiceSpec:
    """A service: `python -m module` on the address `listen`, with `environment` beside the inherited one. Its health is
    asked for at `probe`."""

    name: str
    module: str
    listen: str
    environment: Mapping[str, str]
    probe: str


@dataclass(frozen=True)
class Event:
    """Something that happened to a service.

    `kind` is starting, ready, exited (it is started again after `seconds`) or failed (it is not: stop).
    Whoever reads the events may put others of its own among them.
    """

    kind: str
    service: str = ""
    message: str = ""
    pid: int | None = None
    seconds: float | None = None


def embedded_services(
    run_dir: Path,
    data_dir: Path,
    models_dir: Path,
    gateway_listen: str,
    http_listen: str = "",
    local_listen: str = "",
) -> tuple[ServiceSpec, ...]:
    """Returns the services of the embedded system. The gateway is the last of them and the first to stop.

    Without `http_listen` it serves no HTTP. `local_listen` is its second address, where the first is for TLS.
    """
    common = {"RECORDROUTE_DATA_DIR": str(data_dir), "RECORDROUTE_MODELS_DIR": str(models_dir)}
    sockets = {name: f"unix:{run_dir / name}.sock" for name in ("stt", "llm", "vector")}
    of_gateway = {f"RECORDROUTE_GATEWAY_{name.upper()}_TARGET": socket for name, socket in sockets.items()}
    of_gateway["RECORDROUTE_GATEWAY_HTTP_LISTEN"] = http_listen
    of_gateway["RECORDROUTE_GATEWAY_LOCAL_LISTEN"] = local_listen
    of_gateway["RECORDROUTE_GATEWAY_MODELS_COMMAND"] = shlex.join(MODELS_COMMAND)
    specs = []
    for name, listen in (*sockets.items(), ("gateway", gateway_listen)):
        specs.append(
            ServiceSpec(
                name=name,
                module=f"recordroute_{name}",
                listen=listen,
                environment={
                    **common,
                    **(of_gateway if name == "gateway" else {}),
                    f"RECORDROUTE_{name.upper()}_LISTEN": listen,
                },
                probe=(local_listen if name == "gateway" else "") or listen,
            )
        )
    return tuple(specs)


def child_environment(spec: ServiceSpec, inherited: Mapping[str, str]) -> dict[str, str]:
    """Returns a child's environment: embedded mode's defaults, then what is inherited, then what must be."""
    defaults = {
        **EMBEDDED_ENVIRONMENT,
        **SERVICE_ENVIRONMENTS.get(spec.name, {}),
        f"RECORDROUTE_{spec.name.upper()}_DRAIN_GRACE_SECONDS": DRAIN_SECONDS,
    }
    return {**defaults, **inherited, **spec.environment}


@contextmanager
def lock_data_dir(data_dir: Path, stops: StopSignals) -> Iterator[int]:
    """Holds the lock of a data folder and yields its descriptor; the wait for it can be interrupted. Raises
    CommandError where another has it."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"can't use the data folder {data_dir}: {error.strerror}") from error
    try:
        with stops.interrupting():
            _take_lock(descriptor, data_dir)
        yield descriptor
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            server = read_server(data_dir)
            if server is not None and server.alive:
                raise CommandError(
                    f"process {server.pid} already serves the data folder {data_dir}, at {server.address}"
                ) from None
            # Its supervisor was killed, or has only just begun: either way this is over in a moment.
            if time.monotonic() > deadline:
                raise CommandError(
                    f"the data folder {data_dir} is in use by another RecordRoute process"
                ) from None
            time.sleep(0.1)
        else:
            return


def check_host(host: str, *, has_tls: bool) -> None:
    """Raises CommandError where `host` is not one, or is reached by others and there is no TLS."""
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CommandError(
            f"{host} is not an address of this machine: {error.strerror}", ExitCode.USAGE
        ) from error
    if not has_tls and not is_local(join_address(host, 0)):
        raise CommandError(
            f"refusing to listen on {host}: others reach it, and without TLS they could read the token and the "
            "recordings that go over the network; give a certificate with --tls-cert and --tls-key, or leave it on "
            "this machine and use a tunnel",
            ExitCode.USAGE,
        )


def check_port(host: str, port: int, option: str = "--port") -> int:
    """Returns the port, or a free one for 0. Raises CommandError where it can't be listened on, naming `option`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # Connections of an earlier server that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"port {port} on {host} is in use{_user_of(port)}; choose another with {option}"
            else:
                message = f"can't listen on {join_address(host, port)}: {error.strerror}"
            raise CommandError(message) from error
        return int(probe.getsockname()[1])


def _user_of(port: int) -> str:
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listening and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        # Other users' processes are theirs to see.
        return ""
    return ""


def make_run_dir(data_dir: Path) -> Path:
    """Makes the folder of the sockets: below the data folder, or a temporary one where that is too long."""
    run_dir = data_dir / "run"
    if len(os.fsencode(run_dir / "gateway.sock")) > SOCKET_PATH_BYTES:
        return Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
    run_dir.mkdir(mode=0o700, exist_ok=True)
    return run_dir


def remove_run_dir(run_dir: Path, data_dir: Path) -> None:
    """Removes a folder that make_run_dir made, and nothing else."""
    ours = run_dir == data_dir / "run" or (
        run_dir.parent == Path(tempfile.gettempdir()) and run_dir.name.startswith(RUN_PREFIX)
    )
    if ours:
        shutil.rmtree(run_dir, ignore_errors=True)


class _Keeper:
    """Keeps one service running in a thread of its own."""

    def __init__(
        self,
        spec: ServiceSpec,
        inherited: Sequence[int],
        environment: Mapping[str, str],
        log: ServiceLog,
        events: queue.SimpleQueue[Event],
    ) -> None:
        self.spec = spec
        self.log = log
        self._inherited = inherited
        self._environment = environment
        self._events = events
        self._stopping = threading.Event()
        # Reentrant: `kill` may come from a signal handler that interrupts `stop`.
        self._lock = threading.RLock()
        self._child: Child | None = None
        self._thread = threading.Thread(target=self._keep, name=f"keep-{spec.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks the service to end, for good."""
        with self._lock:
            self._stopping.set()
            if self._child is not None and self._child.running:
                self._child.terminate()

    def kill(self) -> None:
        """Kills what is left of the service."""
        with self._lock:
            self._stopping.set()
            if self._child is not None:
                self._child.kill_group()

    def join(self, timeout: float) -> bool:
        """Waits for the service's end and says whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _spawn(self) -> Child | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # -P: whatever lies in the working folder must not be imported in place of our modules.
            command = [sys.executable, "-P", "-m", self.spec.module]
            self._child = Child(command, self._environment, self._inherited, self.log)
            return self._child

    def _keep(self) -> None:
        crashes = restarts = 0
        while True:
            started = time.monotonic()
            try:
                child = self._spawn()
            except OSError as error:
                self._say("failed", f"can't be started: {error.strerror}")
                return
            if child is None:
                return
            self._say("starting", pid=child.pid)
            was_ready = self._until_ready(child, started)
            code = child.wait()
            assert code is not None
            # Workers that it left behind would hold its files open.
            child.kill_group()
            if self._stopping.is_set():
                return
            crashes = 0 if was_ready else crashes + 1
            restarts = 0 if time.monotonic() - started > STEADY_SECONDS else restarts + 1
            if code == SETTINGS_EXIT_CODE or crashes == QUICK_CRASHES:
                lines = "\n".join(f"  {line}" for line in self.log.tail())
                often = f" {crashes} times in a row before it was ready" if crashes > 1 else ""
                self._say("failed", f"{describe_exit(code)}{often}; the end of {self.log.path}:\n{lines}")
                return
            pause = BACKOFF_SECONDS[min(max(restarts, 1), len(BACKOFF_SECONDS)) - 1]
            self._say("exited", f"{describe_exit(code)}; starting it again", pid=child.pid, seconds=pause)
            self._stopping.wait(pause)

    def _until_ready(self, child: Child, started: float) -> bool:
        from recordroute_cli.client import serving

        while child.wait(HEALTH_SECONDS) is None:
            if not self._stopping.is_set() and serving(self.spec.probe):
                self._say("ready", pid=child.pid, seconds=time.monotonic() - started)
                return True
        return False

    def _say(
        self, kind: str, message: str = "", pid: int | None = None, seconds: float | None = None
    ) -> None:
        self._events.put(Event(kind, self.spec.name, message, pid, seconds))


class Supervisor:
    """Runs services for one data folder, from `start` to `stop`. Read what happens from `events`.

    `specs` are started together and stopped in reverse: the last one first, then all others together.
    """

    def __init__(
        self, data_dir: Path, lock: int, run_dir: Path, address: str, specs: Sequence[ServiceSpec]
    ) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.address = address
        self._data_dir = data_dir
        self._lock = lock
        self._run_dir = run_dir
        self._specs = specs
        self._keepers: list[_Keeper] = []
        self._lifeline: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the services."""
        return [spec.name for spec in self._specs]

    def start(self) -> None:
        """Starts every service. Raises CommandError where the data folder can't be written."""
        logs = self._data_dir / "logs"
        try:
            logs.mkdir(exist_ok=True)
            ServerInfo(self.address, os.getpid(), str(self._run_dir), version("recordroute")).write(
                self._data_dir
            )
        except OSError as error:
            raise CommandError(
                f"can't write to the data folder {self._data_dir}: {error.strerror}"
            ) from error
        self._lifeline = os.pipe()
        inherited = dict(os.environ) | {LIFELINE_VARIABLE: str(self._lifeline[0])}
        for spec in self._specs:
            keeper = _Keeper(
                spec,
                (self._lifeline[0], self._lock),
                child_environment(spec, inherited),
                ServiceLog(logs / f"{spec.name}.log"),
                self.events,
            )
            keeper.start()
            self._keepers.append(keeper)

    def stop(self) -> None:
        """Drains and ends every service, by force after a bounded time."""
        for group in (self._keepers[-1:], self._keepers[:-1]):
            for keeper in group:
                keeper.stop()
            deadline = time.monotonic() + STOP_SECONDS
            for keeper in group:
                if not keeper.join(max(0.0, deadline - time.monotonic())):
                    keeper.kill()
                    keeper.join(STOP_SECONDS)
        for descriptor in self._lifeline:
            os.close(descriptor)
        for keeper in self._keepers:
            keeper.log.close()
        self._keepers, self._lifeline = [], ()
        with contextlib.suppress(FileNotFoundError):
            (self._data_dir / SERVER_FILE).unlink()

    def kill(self) -> None:
        """Ends every service at once; `stop` still has to be called, or to go on."""
        for keeper in self._keepers:
            keeper.kill()


@contextmanager
def embedded_system(
    data_dir: Path,
    models_dir: Path,
    host: str,
    port: int,
    stops: StopSignals,
    *,
    http_port: int = 0,
    has_tls: bool = False,
) -> Iterator[Supervisor]:
    """Yields the supervisor of the embedded system, ready to start; stops it at the end. `http_port` 0: no HTTP.
    `has_tls`: the environment has the gateway's certificate; this machine's processes use a socket beside it then.
    `stops` interrupts the wait for the data folder, and kills what takes its time to stop.

    Raises CommandError where the folder is served already or the address can't be used.
    """
    check_host(host, has_tls=has_tls)
    with ExitStack() as stack:
        lock = stack.enter_context(lock_data_dir(data_dir, stops))
        port = check_port(host, port)
        http_listen = join_address(host, check_port(host, http_port, "--http-port")) if http_port else ""
        if last := read_server(data_dir):
            remove_run_dir(Path(last.run_dir), data_dir)
        run_dir = make_run_dir(data_dir)
        stack.callback(remove_run_dir, run_dir, data_dir)
        local_listen = f"unix:{run_dir / 'gateway.sock'}" if has_tls else ""
        # Clients connect to the loopback address of a server that listens everywhere.
        wildcard = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        supervisor = Supervisor(
            data_dir,
            lock,
            run_dir,
            local_listen or join_address(wildcard.get(host, host), port),
            embedded_services(
                run_dir, data_dir, models_dir, join_address(host, port), http_listen, local_listen
            ),
        )
        try:
            yield supervisor
        finally:
            # Whoever asks twice does not want to wait.
            with stops.calling(supervisor.kill):
                supervisor.stop()
