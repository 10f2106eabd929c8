"""`recordroute up` with real child processes: starts, crashes, signals, and what is left afterwards."""

from __future__ import annotations

import json
import os
import queue
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest
from recordroute_cli import supervisor
from recordroute_cli.client import serving
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import ServerInfo, gateway_address, read_server
from recordroute_cli.process import ServiceLog, describe_exit
from recordroute_cli.stop_signals import StopSignals

SERVICES = {"stt", "llm", "vector", "gateway"}
PATIENCE = 60.0


class Up:
    """A running `recordroute up --json`, in a process group of its own like a shell's foreground job."""

    def __init__(self, script: Path, data_dir: Path, names: Iterable[str], faults: dict[str, str]) -> None:
        environment = os.environ | {
            "RECORDROUTE_DATA_DIR": str(data_dir),
            "TINY_NAMES": " ".join(names),
            "TINY_FAULTS": json.dumps(faults),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(script), "up", "--json", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            process_group=0,
        )
        self.events: queue.Queue[dict] = queue.Queue()
        self.seen: list[dict] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put({"event": "eof"})

    def wait_for(self, wanted: Callable[[dict], bool]) -> dict:
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self.events.get(timeout=deadline - time.monotonic())
            self.seen.append(event)
            if wanted(event):
                return event
            assert event.get("event") != "eof", (self.seen, self.process.stderr.read())

    def wait_serving(self) -> str:
        return self.wait_for(lambda event: event.get("event") == "serving")["address"]

    def children(self) -> dict[str, int]:
        return {event["service"]: event["pid"] for event in self.seen if event.get("event") == "starting"}

    def end(self) -> tuple[int, str]:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code, self.process.stderr.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()


StartUp = Callable[..., Up]


@pytest.fixture
def start_up(children: Path) -> Iterator[StartUp]:
    started: list[Up] = []

    def start(
        data_dir: Path, names: Iterable[str] = ("stt", "gateway"), faults: dict[str, str] | None = None
    ) -> Up:
        up = Up(children / "tiny_up.py", data_dir, names, faults or {})
        started.append(up)
        return up

    yield start
    for up in started:
        up.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_up_from_start_to_ctrl_c(start_up, tmp_path, monkeypatch):
    up = start_up(tmp_path, SERVICES)
    address = up.wait_serving()
    pids = up.children()
    assert set(pids) == SERVICES
    assert serving(address)
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(tmp_path))
    assert gateway_address() == address
    assert all(serving(f"unix:{tmp_path}/run/{name}.sock") for name in ("stt", "llm", "vector"))
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    # What a terminal does on Ctrl-C: the whole foreground group gets it, and the children are not in it.
    os.killpg(up.process.pid, signal.SIGINT)
    code, errors = up.end()
    assert (code, errors) == (ExitCode.OK, "")
    assert all(gone(pid) for pid in pids.values())
    assert {path.name for path in tmp_path.iterdir()} == {"logs", "server.lock", "token"}
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    logs = {name: (tmp_path / f"logs/{name}.log").read_text() for name in SERVICES}
    assert all(f"{name} closed" in text for name, text in logs.items())
    assert "stt loaded, 0, 1" in logs["stt"]
    assert "llm loaded, 0, None" in logs["llm"]


def test_a_second_up_is_refused_and_a_killed_child_started_again(start_up, tmp_path):
    up = start_up(tmp_path)
    address = up.wait_serving()
    code, errors = start_up(tmp_path).end()
    assert code == ExitCode.FAILED
    assert errors == (
        f"error: process {up.process.pid} already serves the data folder {tmp_path}, at {address}\n"
    )
    for name in ("stt", "gateway"):
        os.kill(up.children()[name], signal.SIGKILL)
        exited = up.wait_for(lambda event: event.get("event") == "exited")
        assert exited["service"] == name
        assert exited["message"] == "was killed by SIGKILL; starting it again"
        up.wait_for(lambda event, name=name: event["event"] == "ready" and event["service"] == name)
    assert serving(address)
    up.process.send_signal(signal.SIGTERM)
    assert up.end()[0] == ExitCode.OK
    assert all(gone(event["pid"]) for event in up.seen if event.get("event") == "starting")


def test_children_end_when_the_supervisor_is_killed_and_up_works_again(start_up, tmp_path):
    up = start_up(tmp_path)
    up.wait_serving()
    pids = up.children()
    up.process.kill()
    up.process.wait()
    # At once, while the children of the first are still ending.
    again = start_up(tmp_path)
    again.wait_serving()
    assert all(gone(pid) for pid in pids.values())
    again.process.send_signal(signal.SIGINT)
    assert again.end()[0] == ExitCode.OK
    assert not (tmp_path / "run").exists()


def test_a_child_that_crashes_over_and_over_ends_up(start_up, tmp_path, monkeypatch):
    up = start_up(tmp_path, faults={"stt": "crash"})
    code, errors = up.end()
    assert code == ExitCode.FAILED
    assert "the reason of the crash" in errors
    assert errors.splitlines()[-1].startswith(
        "error: the stt service ended with exit code 3 5 times in a row"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"logs", "server.lock"}


def test_wrong_settings_end_up_at_once(start_up, tmp_path):
    up = start_up(tmp_path, faults={"stt": "settings"})
    code, errors = up.end()
    assert code == ExitCode.FAILED
    assert "RECORDROUTE_TINY: wrong" in errors
    up.wait_for(lambda event: event.get("event") == "failed")
    up.wait_for(lambda event: event.get("event") == "eof")
    assert sum(event.get("event") == "starting" and event["service"] == "stt" for event in up.seen) == 1


def test_a_second_ctrl_c_does_not_wait(start_up, tmp_path):
    up = start_up(tmp_path, faults={"gateway": "stubborn", "stt": "grandchild"})
    up.wait_serving()
    log = tmp_path / "logs/stt.log"
    wait_until(lambda: "grandchild" in log.read_text())
    grandchild = int(log.read_text().partition("grandchild ")[2].split()[0])
    up.process.send_signal(signal.SIGINT)
    up.wait_for(lambda event: event.get("event") == "stopping")
    up.process.send_signal(signal.SIGINT)
    # Nothing but the second one ends the stubborn service: `tiny_up` waits for it for longer than this waits.
    assert up.end()[0] == ExitCode.OK
    assert all(gone(pid) for pid in up.children().values())
    wait_until(lambda: gone(grandchild))


def test_a_long_data_folder_has_its_sockets_elsewhere(tmp_path):
    deep = tmp_path / ("d" * 90) / "회의"
    with supervisor.embedded_system(deep, tmp_path, "127.0.0.1", 0, StopSignals()) as first:
        address = first.address
    # What stays behind of a server that was killed.
    left = supervisor.make_run_dir(deep)
    ServerInfo(address, 1, str(left), "1").write(deep)
    assert left.exists()
    with supervisor.embedded_system(deep, tmp_path, "127.0.0.1", 0, StopSignals()) as second:
        assert not left.exists()
        run_dir = supervisor.make_run_dir(deep)
        assert deep not in run_dir.parents
        assert run_dir.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(run_dir / "gateway.sock"))
        supervisor.remove_run_dir(run_dir, deep)
        assert not run_dir.exists()
        assert second.names == ["stt", "llm", "vector", "gateway"]


def test_a_port_in_use(cli, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ran = cli("up", "--port", str(port), "--data-dir", tmp_path)
    assert ran.code == ExitCode.FAILED
    assert ran.err.startswith(f"error: port {port} on 127.0.0.1 is in use")
    assert ran.err.endswith("choose another with --port\n")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_hosts_that_others_reach_are_refused(cli, tmp_path, host):
    ran = cli("up", "--host", host, "--data-dir", tmp_path)
    assert ran.code == ExitCode.USAGE
    assert "without TLS" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_hosts():
    for host in ("localhost", "127.0.0.2", "::1"):
        supervisor.check_host(host, has_tls=False)
    supervisor.check_host("0.0.0.0", has_tls=True)
    with pytest.raises(CommandError, match="is not an address"):
        supervisor.check_host("no such host", has_tls=True)


def test_with_tls_this_machine_uses_a_socket_beside_it(tmp_path):
    local = f"unix:{tmp_path}/gateway.sock"
    *services, gateway = supervisor.embedded_services(
        tmp_path, tmp_path, tmp_path / "models", "0.0.0.0:7100", "0.0.0.0:7180", local
    )
    assert (gateway.listen, gateway.probe) == ("0.0.0.0:7100", local)
    assert gateway.environment["RECORDROUTE_GATEWAY_LOCAL_LISTEN"] == local
    assert all(service.probe == service.listen for service in services)


def test_the_browsers_address_has_the_token_where_no_server_sees_it(capsys, tmp_path):
    from recordroute_cli.commands.up import _announce

    _announce("127.0.0.1:7100", "http://127.0.0.1:7180", tmp_path, "the-token", json_output=False)
    assert "http://127.0.0.1:7180/#token=the-token\n" in capsys.readouterr().out
    _announce("127.0.0.1:7100", "http://127.0.0.1:7180", tmp_path, "the-token", json_output=True)
    assert "the-token" not in capsys.readouterr().out


def test_a_data_folder_that_other_commands_do_not_look_in_is_named(capsys, tmp_path, monkeypatch):
    from recordroute_cli.commands.up import _announce

    folder = tmp_path / "my library"
    _announce("127.0.0.1:7100", "", folder, "", json_output=False)
    assert f"with: RECORDROUTE_DATA_DIR='{folder}' recordroute add FILE\n" in capsys.readouterr().out
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(folder))
    _announce("127.0.0.1:7100", "", folder, "", json_output=False)
    assert "with: recordroute add FILE\n" in capsys.readouterr().out


def test_a_data_folder_that_can_not_be_made(cli, tmp_path):
    (tmp_path / "file").touch()
    ran = cli("up", "--port", "0", "--data-dir", tmp_path / "file" / "data")
    assert ran.code == ExitCode.FAILED
    assert ran.err == f"error: can't use the data folder {tmp_path}/file/data: Not a directory\n"


def test_the_users_environment_wins_over_defaults_but_not_over_addresses(tmp_path):
    stt, *_, gateway = supervisor.embedded_services(tmp_path, tmp_path, tmp_path / "models", "127.0.0.1:7100")
    inherited = {"GOMP_SPINCOUNT": "5", "RECORDROUTE_STT_LISTEN": "127.0.0.1:1"}
    environment = supervisor.child_environment(stt, inherited)
    assert environment["GOMP_SPINCOUNT"] == "5"
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["MALLOC_ARENA_MAX"] == "1"
    assert environment["RECORDROUTE_STT_LISTEN"] == f"unix:{tmp_path}/stt.sock"
    assert environment["RECORDROUTE_MODELS_DIR"] == str(tmp_path / "models")
    environment = supervisor.child_environment(gateway, {})
    assert "MALLOC_ARENA_MAX" not in environment
    assert environment["RECORDROUTE_GATEWAY_VECTOR_TARGET"] == f"unix:{tmp_path}/vector.sock"
    command = shlex.split(environment["RECORDROUTE_GATEWAY_MODELS_COMMAND"])
    listed = subprocess.run([*command, "list", "--json"], capture_output=True, check=True)
    assert json.loads(listed.stdout)["models"]


def test_a_run_folder_that_is_not_ours_stays(tmp_path):
    other = tmp_path / "somebody's"
    other.mkdir()
    supervisor.remove_run_dir(other, tmp_path / "data")
    assert other.exists()


def test_server_file_that_is_broken_or_of_a_dead_process(tmp_path):
    assert read_server(tmp_path) is None
    (tmp_path / "server.json").write_text('{"address": 1}')
    assert read_server(tmp_path) is None
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ServerInfo("127.0.0.1:1", dead.pid, str(tmp_path), "1").write(tmp_path)
    assert not read_server(tmp_path).alive
    assert [path.name for path in tmp_path.iterdir()] == ["server.json"]


def test_logs_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("recordroute_cli.process.LOG_BYTES", 1000)
    log = ServiceLog(tmp_path / "stt.log")
    for number in range(500):
        log.write(f"line {number} 회의")
    log.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000
    assert log.tail()[-1] == "line 499 회의"


def test_a_log_that_can_not_be_written_stops_nothing(tmp_path, capfd):
    log = ServiceLog(tmp_path / "missing" / "stt.log")
    log.write("the line")
    assert log.tail() == ["the line"]
    assert capfd.readouterr().err == ""


def test_ends_in_words():
    assert describe_exit(3) == "ended with exit code 3"
    assert describe_exit(-9) == "was killed by SIGKILL"
