"""The whole embedded system for tests: started by the real command, on a free port and an empty data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from recordroute.gateway.v1 import (
    library_pb2_grpc,
    search_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
    workflow_pb2,
    workflow_pb2_grpc,
)
from recordroute.vector.v1 import index_pb2, index_pb2_grpc
from recordroute_runtime.bearer import with_token
from recordroute_runtime.probe import probe
from recordroute_runtime.tokens import ensure_token

COMMAND = Path(sys.executable).with_name("recordroute")
SERVICES = ("stt", "llm", "vector", "gateway")
SMALL_MODELS = {
    "RECORDROUTE_STT_MODEL": "faster-whisper-tiny.en",
    "RECORDROUTE_LLM_MODEL": "smollm2-135m-instruct",
}
START_SECONDS = 120.0
CALL_SECONDS = 60.0
NO_PROXY = (("grpc.enable_http_proxy", 0),)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Waits until `condition` holds; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.02)


def was_killed_in(events: Iterable[workflow_pb2.WorkflowEvent], stage: int, killed_at: float) -> bool:
    """Whether a stage that was under way before a kill ended after it. `killed_at` is in seconds since the epoch."""
    (ended,) = [
        event
        for event in events
        if event.stage == stage and event.state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED
    ]
    return ended.time.ToNanoseconds() / 1e9 > killed_at


class EmbeddedSystem:
    """`recordroute up` on one data folder."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.temporary = data_dir.with_name(f"{data_dir.name}-temporary")
        self.environment = {
            **os.environ,
            **environment,
            "RECORDROUTE_DATA_DIR": str(data_dir),
            "TMPDIR": str(self.temporary),
        }
        self.environment.pop("RECORDROUTE_GATEWAY", None)
        self._process: subprocess.Popen[bytes] | None = None
        self._channels: list[grpc.Channel] = []

    def start(self) -> None:
        self.temporary.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [COMMAND, "up", "--port", "0"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        wait_for(self.is_ready, "every service SERVING")

    def is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log("gateway")
        try:
            server = json.loads((self.data_dir / "server.json").read_text())
        except FileNotFoundError:
            return False
        if server["pid"] != self._process.pid:
            return False
        addresses = [server["address"]] + [f"unix:{server['run_dir']}/{name}.sock" for name in SERVICES[:3]]
        return all(probe(address, "", 0.5) == "SERVING" for address in addresses)

    def stop(self) -> int:
        """Stops as Ctrl-C does and returns the exit status."""
        assert self._process is not None
        self.close_channels()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def kill(self, service: str) -> float:
        """SIGKILL to one service; returns as `kill_process` does."""
        return self.kill_process(self.process(service))

    def kill_process(self, process: psutil.Process) -> float:
        """SIGKILL; returns when the process was gone, in seconds since the epoch."""
        process.kill()
        process.wait(CALL_SECONDS)
        return time.time()

    def kill_supervisor(self) -> float:
        """SIGKILL to `recordroute up` itself; returns when all was gone, in seconds since the epoch."""
        assert self._process is not None
        children = self.processes()
        self.close_channels()
        self._process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(children, CALL_SECONDS)
        assert not alive, "services outlive their supervisor"
        return time.time()

    def processes(self) -> list[psutil.Process]:
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    def process(self, service: str) -> psutil.Process:
        for process in self.processes():
            if f"recordroute_{service}" in process.cmdline():
                return process
        raise AssertionError(f"{service} does not run")

    def address(self) -> str:
        return str(json.loads((self.data_dir / "server.json").read_text())["address"])

    def log(self, service: str) -> str:
        path = self.data_dir / "logs" / f"{service}.log"
        return path.read_text() if path.exists() else ""

    def finished_calls(self, service: str, method: str) -> int:
        """Counts a service's calls of a method that ended with OK."""
        lines = self.log(service).splitlines()
        return sum("code=OK" in line and f".{method} " in line for line in lines)

    def channel(self, address: str = "") -> grpc.Channel:
        channel = grpc.insecure_channel(address or self.address(), options=NO_PROXY)
        self._channels.append(channel)
        return with_token(channel, self.token())

    def token(self) -> str:
        """The token that `up` has made."""
        return ensure_token(self.data_dir / "token")

    def close_channels(self) -> None:
        for channel in self._channels:
            channel.close()
        self._channels.clear()

    @property
    def workflows(self) -> workflow_pb2_grpc.WorkflowServiceStub:
        return workflow_pb2_grpc.WorkflowServiceStub(self.channel())

    @property
    def library(self) -> library_pb2_grpc.LibraryServiceStub:
        return library_pb2_grpc.LibraryServiceStub(self.channel())

    @property
    def search(self) -> search_pb2_grpc.SearchServiceStub:
        return search_pb2_grpc.SearchServiceStub(self.channel())

    def upload(self, path: Path, name: str = "") -> str:
        """Uploads a file and returns the recording's id."""

        def requests() -> Iterator[upload_pb2.UploadRecordingRequest]:
            config = upload_pb2.UploadConfig(
                request_id=str(uuid.uuid4()), file_name=name or path.name, allow_duplicate=True
            )
            yield upload_pb2.UploadRecordingRequest(config=config)
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    yield upload_pb2.UploadRecordingRequest(chunk=chunk)

        stub = upload_pb2_grpc.UploadServiceStub(self.channel())
        return stub.UploadRecording(requests(), timeout=CALL_SECONDS).recording.id

    def start_workflow(self, recording_id: str, **options: object) -> str:
        """Starts the work on a recording and returns the workflow's id."""
        request = workflow_pb2.StartWorkflowRequest(
            request_id=str(uuid.uuid4()),
            recording_id=recording_id,
            options=workflow_pb2.WorkflowOptions(**options),
        )
        return self.workflows.StartWorkflow(request, timeout=CALL_SECONDS).workflow.id

    def watch(
        self, workflow_id: str, after: int = 0, seconds: float = 240.0
    ) -> Iterator[workflow_pb2.WorkflowEvent]:
        """Yields events to the end of the workflow as a client does that reconnects whenever the stream breaks."""
        deadline = time.monotonic() + seconds
        while True:
            request = workflow_pb2.WatchWorkflowRequest(workflow_id=workflow_id, after_sequence=after)
            try:
                for response in self.workflows.WatchWorkflow(request, timeout=seconds):
                    after = response.event.sequence
                    yield response.event
                return
            except grpc.RpcError as error:
                gone = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
                if not gone or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def passage_count(self, recording_id: str) -> int:
        """Counts a recording's passages in the index."""
        run_dir = json.loads((self.data_dir / "server.json").read_text())["run_dir"]
        stub = index_pb2_grpc.IndexServiceStub(self.channel(f"unix:{run_dir}/vector.sock"))
        request = index_pb2.GetStatsRequest(owner="local", document_id=recording_id)
        return stub.GetStats(request, timeout=CALL_SECONDS, wait_for_ready=True).passage_count


@pytest.fixture(scope="session")
def sample() -> Path:
    """The recording that ships with the command line."""
    import recordroute_cli

    (path,) = [
        path
        for path in (Path(recordroute_cli.__file__).parent / "data").glob("sample.*")
        if path.suffix not in (".md", ".txt")
    ]
    return path


@pytest.fixture(scope="session")
def make_system(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., EmbeddedSystem]:
    """Makes a system with small models and an empty data folder; keyword arguments are further settings."""

    def make(**environment: str) -> EmbeddedSystem:
        return EmbeddedSystem(tmp_path_factory.mktemp("data"), {**SMALL_MODELS, **environment})

    return make


@pytest.fixture(scope="session")
def system(make_system: Callable[..., EmbeddedSystem]) -> Iterator[EmbeddedSystem]:
    """A running system with small models, one for all tests: they clean up, or count what they added."""
    running = make_system()
    running.start()
    yield running
    assert running.stop() == 0
