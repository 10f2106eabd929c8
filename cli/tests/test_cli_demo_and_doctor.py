"""`demo`, `doctor`, `--help` and what interrupts a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recordroute.gateway.v1 import search_pb2, system_pb2, system_pb2_grpc, upload_pb2, workflow_pb2
from recordroute_cli.commands import demo
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import ServerInfo, data_dir
from recordroute_runtime.settings import CommonSettings, load_settings

COMMAND = (sys.executable, "-m", "recordroute_cli")


def test_demo_shows_everything_and_a_second_run_has_the_same_results(cli, library):
    first = cli("demo", "--no-keep")
    assert first.code == ExitCode.OK, first.err
    recording = next(iter(library.recordings))
    for shown in (
        "[red]Good morning[/red].",
        "They met.",
        "about [money]",
        "0:12",
        f"export {recording[:8]}",
    ):
        assert shown in first.out
    second = json.loads(cli("demo", "--json").out)
    assert second["recording"]["id"] == recording
    assert second["workflow"]["id"] == next(iter(library.workflows))
    assert len(library.recordings) == len(library.workflows) == 1
    assert second["hit"]["snippet"] == "about [money]"
    ids = [config.request_id for config in library.of_type(upload_pb2.UploadConfig)]
    assert ids[0] == ids[1]
    assert library.of_type(search_pb2.SearchRequest)[0].recording_ids == [recording]


def test_demo_goes_on_with_a_first_run_that_failed(cli, library):
    library.end_state = 4
    failed = cli("demo", "--no-keep")
    assert failed.code == ExitCode.FAILED
    assert "the file has no audio (MEDIA_WITHOUT_AUDIO)" in failed.err
    assert cli("demo", "--no-keep").code == ExitCode.OK
    assert len(library.of_type(workflow_pb2.RetryWorkflowRequest)) == 1


def test_demo_that_was_cancelled(cli, library):
    library.end_state = 5
    assert cli("demo", "--no-keep").code == ExitCode.CANCELLED


def test_demo_with_a_gateway_that_is_not_there(cli, gateway):
    gateway.stop()
    ran = cli("demo")
    assert ran.code == ExitCode.UNREACHABLE
    assert ran.err == f"error: no RecordRoute server is ready at {gateway.address}\n"


def test_the_sample_is_there():
    assert demo.sample().stat().st_size > 100_000


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    for variable, name in (("STT", "one"), ("LLM", "two"), ("VECTOR", "three")):
        (folder / name).mkdir(parents=True)
        manifest = {"id": name, "task": variable.lower(), "files": [{"path": "x", "size": 5}]}
        (folder / name / "model.json").write_text(json.dumps(manifest))
        monkeypatch.setenv(f"RECORDROUTE_{variable}_MODEL", name)
    monkeypatch.setenv("RECORDROUTE_MODELS_DIR", str(folder))
    return folder


class Status(system_pb2_grpc.SystemServiceServicer):
    """Says of the services what it is told to say."""

    def __init__(self, *services: system_pb2.ServiceStatus) -> None:
        self.services = services

    async def GetSystemStatus(self, request, context):
        return system_pb2.GetSystemStatusResponse(services=self.services)


@pytest.fixture
def tell(gateway, library):
    """Makes the gateway say so of its services."""

    def tell(*services: system_pb2.ServiceStatus) -> None:
        gateway.stop()
        library.more = [
            lambda server: system_pb2_grpc.add_SystemServiceServicer_to_server(Status(*services), server)
        ]
        gateway.start()

    return tell


def test_doctor_finds_nothing_wrong(cli, gateway, models, tell):
    tell(system_pb2.ServiceStatus(name="stt", ready=True))
    ran = cli("doctor")
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert f"ready at {gateway.address}" in ran.out
    assert "stt is ready" in ran.out
    assert "no problems found" in ran.out


def test_doctor_tells_of_services_that_are_not_ready(cli, gateway, models, tell, monkeypatch):
    tell(
        system_pb2.ServiceStatus(name="stt", reason="SERVICE_UNREACHABLE", message="does not answer"),
        system_pb2.ServiceStatus(name="llm", reason="SERVICE_HELD_BACK", message="broke off"),
    )

    def wrong() -> dict[str, str]:
        ran = cli("doctor", "--json")
        assert ran.code == ExitCode.FAILED
        checks = [check for check in json.loads(ran.out)["checks"] if check["area"] == "services"]
        return {check["text"]: check["mend"] for check in checks}

    assert wrong() == {
        "stt does not answer (SERVICE_UNREACHABLE)": (
            "start it, or correct its address in the gateway's settings; read its log"
        ),
        "llm broke off (SERVICE_HELD_BACK)": "wait a moment; if it stays so, read its log",
    }
    monkeypatch.delenv("RECORDROUTE_GATEWAY")
    ServerInfo(gateway.address, os.getpid(), "", "1").write(data_dir())
    log = data_dir() / "logs" / "stt.log"
    assert wrong()["stt does not answer (SERVICE_UNREACHABLE)"] == (
        f"wait a moment; if it stays so, read {log}"
    )


def test_doctor_that_may_not_ask_says_so(cli, gateway, models):
    # This gateway has no SystemService.
    ran = cli("doctor")
    assert ran.code == ExitCode.FAILED
    assert "services their state can't be asked for" in ran.out


def test_doctor_says_what_is_wrong_and_how_to_mend_it(cli, gateway, models, monkeypatch, tmp_path):
    gateway.stop()
    (models / "two" / "model.json").unlink()
    monkeypatch.setenv("RECORDROUTE_STT_MODEL", "faster-whisper-base")
    monkeypatch.setenv("RECORDROUTE_VEKTOR_MODEL", "x")
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(tmp_path / "file" / "data"))
    ran = cli("doctor", "--json")
    assert ran.code == ExitCode.FAILED
    found = json.loads(ran.out)
    assert not found["ok"]
    wrong = {(check["area"], check["state"]): check for check in found["checks"] if check["state"] != "ok"}
    assert "RECORDROUTE_VEKTOR_MODEL" in wrong["settings", "warning"]["text"]
    assert "can't be written" in wrong["data", "problem"]["text"]
    assert "RECORDROUTE_GATEWAY" in wrong["server", "problem"]["mend"]
    texts = {check["text"]: check["mend"] for check in found["checks"]}
    assert texts["faster-whisper-base: not installed"] == (
        "mend with: recordroute models pull faster-whisper-base"
    )
    assert texts["two: not installed"] == f"put it into {models / 'two'}"


def test_doctor_with_settings_that_can_not_be_read(cli, monkeypatch):
    monkeypatch.setenv("RECORDROUTE_LOG_LEVEL", "loud")
    ran = cli("doctor")
    assert ran.code == ExitCode.FAILED
    assert "RECORDROUTE_LOG_LEVEL" in ran.out


def test_up_offline_without_models(cli, models, monkeypatch, tmp_path):
    monkeypatch.setenv("RECORDROUTE_STT_MODEL", "faster-whisper-base")
    monkeypatch.setenv("RECORDROUTE_OFFLINE", "1")
    ran = cli("up", "--port", "0", "--data-dir", tmp_path / "data")
    assert ran.code == ExitCode.FAILED
    assert ran.err.startswith(
        "error: model faster-whisper-base is not installed and RECORDROUTE_OFFLINE is set"
    )
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "data" / "run").exists()


def test_the_data_folder_is_the_services_one(monkeypatch, tmp_path):
    assert data_dir() == load_settings(CommonSettings).data_dir
    monkeypatch.delenv("RECORDROUTE_DATA_DIR")
    assert data_dir() == load_settings(CommonSettings).data_dir
    (tmp_path / "settings.toml").write_text(f'data_dir = "{tmp_path}/from-file"\n')
    monkeypatch.setenv("RECORDROUTE_CONFIG", str(tmp_path / "settings.toml"))
    assert data_dir() == tmp_path / "from-file"


def test_a_running_server_is_found_by_its_file(cli, gateway, library, monkeypatch):
    monkeypatch.delenv("RECORDROUTE_GATEWAY")
    ServerInfo(gateway.address, os.getpid(), "", "1").write(data_dir())
    library.add("found.mp3")
    assert "found.mp3" in cli("list").out


def test_help_is_quick_because_it_imports_little():
    code = (
        "import sys; from recordroute_cli.main import run; run(['--help']);"
        "print(sorted({'grpc', 'google.protobuf', 'pydantic', 'psutil', 'httpx'} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_command_cleans_up_before_a_signal_ends_it(gateway, library, number, code):
    workflow = library.begin(library.add())
    library.hold_after = 3
    process = subprocess.Popen(
        [*COMMAND, "watch", workflow.id], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert library.held.wait(60)
    # The event that comes before the stream is held has been shown: the command is past its start.
    while "50 %" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err == f"the work goes on; watch with: recordroute watch {workflow.id[:8]}\ninterrupted\n"


def test_a_reader_that_has_enough_is_no_reason_to_complain(gateway, library):
    for number in range(20):
        library.add(f"{number}-{'x' * 20_000}.mp3")
    process = subprocess.Popen([*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert len(process.stdout.read(10)) == 10
    process.stdout.close()
    # Some kernels end a write that is under way without an error.
    assert process.wait(60) in (ExitCode.OK, ExitCode.FAILED)
    assert process.stderr.read() == ""
    process.stderr.close()


def test_nothing_ends_in_a_traceback(cli, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("recordroute_cli.client.connect", fail)
    ran = cli("list")
    assert ran.code == ExitCode.FAILED
    assert ran.err == (
        "error: recordroute itself failed, please report it: ZeroDivisionError: division by zero; "
        "RECORDROUTE_DEBUG=1 prints where\n"
    )
