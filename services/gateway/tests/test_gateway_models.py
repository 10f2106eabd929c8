"""Models through the gateway: the real model manager as a process, a hub on loopback, services that list a folder."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shlex
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest
from recordroute.gateway.v1 import model_pb2, model_pb2_grpc
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_gateway.clients import models as client_module
from recordroute_gateway.clients.models import ModelsClient
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import LOCAL_USER, Caller, Scope, calling
from recordroute_gateway.models import command as command_module
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.command import ModelCommand
from recordroute_gateway.models.pulls import Pulls
from recordroute_gateway.models.records import Task
from recordroute_gateway.servicers.models import ModelServicer
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.models import installed_models
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings
from recordroute_runtime.wire import model_messages

MANAGER = shlex.join((sys.executable, "-m", "recordroute_cli", "models"))
CONTENT = bytes(range(256)) * 8000
HALF = len(CONTENT) // 2
REVISION = "0" * 40
SECONDS = 60.0
STT, LLM = model_pb2.MODEL_TASK_STT, model_pb2.MODEL_TASK_LLM
# The models of the catalogue, of which the services are started with the first of each task.
CATALOGUE = {
    "stt": ("ears", "ears-large"),
    "llm": ("words", "words-large", "words-huge"),
    "embedding": ("sense", "sense-large"),
}
HUGE_BYTES = 1 << 60


@dataclass
class Hub:
    """Serves every model's file. `gate` closed: silent in the middle of a file, at first."""

    gate: threading.Event = field(default_factory=threading.Event)
    content: bytes = CONTENT
    starts: list[int] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    hub.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "bytes=0-")
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            hub.starts.append(start)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(hub.content) - start))
            self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
            self.send_header("ETag", '"one"')
            self.end_headers()
            # A puller that was ended has left.
            with suppress(OSError):
                self.wfile.write(hub.content[start:HALF])
                self.wfile.flush()
                hub.gate.wait()
                self.wfile.write(hub.content[max(start, HALF) :])

        def log_message(self, format: str, *args: object) -> None:
            return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    hub.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield hub
    hub.gate.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def folder(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder that the model manager is pointed to, with the catalogue and the hub."""
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(
        "".join(
            f"""
[[models]]
id = "{model}"
task = "{task}"
description = "Is {model}."
license = "MIT"
languages = ["en", "ko"]
default = {"true" if model == models[0] else "false"}
files = [{{ path = "model.bin", size = {HUGE_BYTES if model == "words-huge" else len(CONTENT)}, sha256 = "{
                hashlib.sha256(CONTENT).hexdigest()
            }" }}]
sources = [{{ kind = "hub", repository = "org/{model}", revision = "{REVISION}" }}]
"""
            for task, models in CATALOGUE.items()
            for model in models
        )
    )
    for name, value in {
        "MODELS_DIR": str(tmp_path / "models"),
        "MODELS_CATALOGUE": str(catalogue),
        "MODELS_HUB_ENDPOINT": hub.url,
        "MODELS_ATTEMPTS": "2",
        # The hub is silent for as long as a test needs.
        "MODELS_STALL_TIMEOUT_SECONDS": "600",
    }.items():
        monkeypatch.setenv(f"RECORDROUTE_{name}", value)
    return tmp_path / "models"


class Services:
    """The model lists of stt, llm and vector, as the real ones make them."""

    names: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def messages(self, task: str) -> Any:
        return model_messages(
            installed_models(self.folder, task), loaded=CATALOGUE[task][:1], default=CATALOGUE[task][0]
        )

    def register(self, server: grpc.aio.Server) -> None:
        services = self

        class Stt(stt_pb2_grpc.SttServiceServicer):
            async def ListModels(self, request: Any, context: Any) -> stt_pb2.ListModelsResponse:
                return stt_pb2.ListModelsResponse(models=services.messages("stt"))

        class Llm(llm_pb2_grpc.LlmServiceServicer):
            async def ListModels(self, request: Any, context: Any) -> llm_pb2.ListModelsResponse:
                answer = llm_pb2.ListModelsResponse(models=services.messages("llm"))
                answer.models.add(id="cloud/words", server="cloud")
                return answer

        class Vector(embedding_pb2_grpc.EmbeddingServiceServicer):
            async def ListModels(self, request: Any, context: Any) -> embedding_pb2.ListModelsResponse:
                return embedding_pb2.ListModelsResponse(models=services.messages("embedding"))

        stt_pb2_grpc.add_SttServiceServicer_to_server(Stt(), server)
        llm_pb2_grpc.add_LlmServiceServicer_to_server(Llm(), server)
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(Vector(), server)

    async def load(self) -> None:
        return

    async def close(self) -> None:
        return


class WithScopes(CallInterceptor):
    """Lets everybody in as the one user, with the scopes that the call names; all if none."""

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        named = dict(call.context.invocation_metadata() or ()).get("scope")
        scopes = frozenset((Scope(str(named)),)) if named else frozenset(Scope)
        with calling(Caller(LOCAL_USER, scopes)):
            yield


class World:
    """A gateway with nothing but ModelService."""

    names = ("recordroute.gateway.v1.ModelService",)
    interceptors = (WithScopes(),)

    def __init__(self, url: str, command: str, channels: Sequence[grpc.aio.Channel]) -> None:
        self.database = Database(url)
        self.choices = ModelChoices(self.database)
        self.command = ModelCommand(command)
        self.pulls = Pulls(self.command)
        self.client = ModelsClient(*channels)

    def register(self, server: grpc.aio.Server) -> None:
        servicer = ModelServicer(self.command, self.pulls, self.choices, self.client)
        model_pb2_grpc.add_ModelServiceServicer_to_server(servicer, server)

    async def load(self) -> None:
        await self.database.migrate()

    async def drain(self) -> None:
        await self.pulls.close()

    async def close(self) -> None:
        await self.pulls.close()
        await self.database.close()

    async def models(self, **metadata: str) -> dict[str, model_pb2.Model]:
        answer = await self.stub.ListModels(
            model_pb2.ListModelsRequest(), timeout=SECONDS, metadata=tuple(metadata.items())
        )
        return {model.id: model for model in answer.models}

    def pull(self, model: str) -> Any:
        return self.stub.PullModel(model_pb2.PullModelRequest(request_id=new(), model_id=model))

    async def pulled(self, model: str) -> list[model_pb2.ModelPull]:
        return [response.pull async for response in self.pull(model)]

    async def cancel(self, model: str) -> bool:
        request = model_pb2.CancelPullRequest(request_id=new(), model_id=model)
        return (await self.stub.CancelPull(request, timeout=SECONDS)).cancelled

    async def remove(self, model: str) -> int:
        request = model_pb2.RemoveModelRequest(request_id=new(), model_id=model)
        return (await self.stub.RemoveModel(request, timeout=SECONDS)).freed_bytes

    async def use(self, task: Any, model: str) -> str:
        request = model_pb2.UseModelRequest(request_id=new(), task=task, model_id=model)
        return (await self.stub.UseModel(request, timeout=SECONDS)).model_id


MakeWorld = Callable[..., Any]


@pytest.fixture
def make_world(
    tmp_path: Path, folder: Path, new_library: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> MakeWorld:
    # Their services are not away where the machine is busy.
    monkeypatch.setattr(client_module, "CALL_SECONDS", SECONDS)
    local_url = new_library(tmp_path)

    @asynccontextmanager
    async def make(
        command: str = MANAGER, *, url: str = "", has_services: bool = True
    ) -> AsyncIterator[World]:
        settings = ServerSettings(listen=f"unix:{tmp_path}/services.sock")
        services = RunningServer(Services(folder), settings)
        if has_services:
            await services.start()
            await services.loaded()
        channel = grpc.aio.insecure_channel(settings.listen)
        world = World(url or local_url, command, [channel] * 3)
        listen = f"unix:{tmp_path}/gateway.sock"
        server = RunningServer(world, ServerSettings(listen=listen, drain_grace_seconds=1.0))
        await server.start()
        await server.loaded()
        world.server = server
        own = grpc.aio.insecure_channel(listen)
        world.stub = model_pb2_grpc.ModelServiceStub(own)
        yield world
        await own.close()
        await server.stop()
        await channel.close()
        if has_services:
            await services.stop()

    return make


@pytest.fixture
async def world(make_world: MakeWorld, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A world with the real model manager, or with the command of the parameter."""
    async with make_world(getattr(request, "param", MANAGER)) as world:
        yield world


def new() -> str:
    return str(uuid.uuid4())


def install(folder: Path, *models: str) -> None:
    """Puts models into the folder as the manager does it."""
    for model in models:
        (task,) = [task for task, names in CATALOGUE.items() if model in names]
        file = folder / model / "model.bin"
        file.parent.mkdir(parents=True)
        file.write_bytes(CONTENT)
        status = {"path": file.name, "size": len(CONTENT), "mtime_ns": file.stat().st_mtime_ns}
        manifest = {
            "id": model,
            "task": task,
            "languages": ["en", "ko"],
            "license": "MIT",
            "source": "hub",
            "parameters": {},
            "files": [{**status, "sha256": hashlib.sha256(CONTENT).hexdigest()}],
        }
        (folder / model / "model.json").write_text(json.dumps(manifest))


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    remote = read_error(caught.value)
    assert remote.message
    return remote.code, remote.reason


async def half(call: Any) -> None:
    """Reads a pull's messages until half of the file has come."""
    while (response := await call.read()).pull.done_bytes < HALF:
        pass
    assert response.pull.phase == model_pb2.PULL_PHASE_DOWNLOADING
    assert response.pull.total_bytes == len(CONTENT)


async def rest(call: Any) -> list[model_pb2.ModelPull]:
    """Reads a pull's messages to its end."""
    pulls = []
    while (response := await call.read()) is not grpc.aio.EOF:
        pulls.append(response.pull)
    return pulls


def managers() -> list[psutil.Process]:
    """The model manager's pulls that this process has started."""
    found = psutil.Process().children()
    return [process for process in found if "pull" in process.cmdline()]


async def test_catalogue_is_listed_with_what_can_be_done(world: World, folder: Path) -> None:
    install(folder, "ears")
    (folder / "mine").mkdir()
    (folder / "mine" / "model.json").write_text('{"task": "singing", "files": [{"size": 7}]}')
    models = await world.models()
    assert list(models) == [
        "ears", "ears-large", "cloud/words", "words", "words-huge", "words-large", "sense", "sense-large", "mine"
    ]  # fmt: skip
    ears, large = models["ears"], models["ears-large"]
    assert (ears.state, large.state) == (model_pb2.MODEL_STATE_INSTALLED, model_pb2.MODEL_STATE_NOT_INSTALLED)
    assert (ears.size_bytes, large.size_bytes, large.download_bytes) == (len(CONTENT), 0, len(CONTENT))
    assert (ears.license, list(ears.languages), ears.description) == ("MIT", ["en", "ko"], "Is ears.")
    assert ears.source == large.source == model_pb2.MODEL_SOURCE_HUB
    assert (ears.is_recommended, ears.is_current, ears.is_service_default, ears.is_loaded) == (True,) * 4
    assert (large.is_recommended, large.is_current, large.is_service_default, large.is_loaded) == (False,) * 4
    assert (ears.service, models["words"].service, models["sense"].service) == ("stt", "llm", "vector")
    assert (ears.pull_refusal, ears.remove_refusal, ears.use_refusal) == ("", "MODEL_IN_USE", "")
    assert (large.pull_refusal, large.remove_refusal, large.use_refusal) == ("", "", "MODEL_NOT_INSTALLED")
    assert models["sense-large"].use_refusal == "MODEL_FIXED_AT_START"
    cloud, mine = models["cloud/words"], models["mine"]
    assert (cloud.source, cloud.use_refusal) == (model_pb2.MODEL_SOURCE_SERVER, "")
    assert (cloud.pull_refusal, cloud.remove_refusal) == ("MODEL_UNKNOWN", "MODELS_MANAGED_ELSEWHERE")
    assert (mine.task, mine.source) == (model_pb2.MODEL_TASK_OTHER, model_pb2.MODEL_SOURCE_LOCAL)
    assert (mine.size_bytes, mine.pull_refusal, mine.use_refusal) == (7, "MODEL_UNKNOWN", "WRONG_TASK")


async def test_what_other_programs_install_shows_at_once(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = world.command._run

    async def spy(*arguments: str) -> Any:
        asked.append(arguments[0])
        return await run(*arguments)

    monkeypatch.setattr(world.command, "_run", spy)
    monkeypatch.setattr(command_module, "SHELF_SECONDS", float("inf"))
    for _ in range(3):
        assert (await world.models())["ears"].state == model_pb2.MODEL_STATE_NOT_INSTALLED
    install(folder, "ears")
    for _ in range(3):
        assert (await world.models())["ears"].state == model_pb2.MODEL_STATE_INSTALLED
    (folder / "ears" / "model.bin").unlink()
    assert (await world.models())["ears"].state == model_pb2.MODEL_STATE_BROKEN
    assert asked == ["list"] * 3


async def test_pull_tells_how_far_it_is_and_is_done_once(world: World, hub: Hub) -> None:
    started = time.monotonic()
    told = await world.pulled("ears")
    assert len(told) <= 2 + 4 * (time.monotonic() - started)
    assert [pull.phase for pull in told] == sorted(pull.phase for pull in told)
    assert told[0].phase == model_pb2.PULL_PHASE_WAITING
    assert told[-1].phase == model_pb2.PULL_PHASE_DONE
    assert (told[-1].done_bytes, told[-1].total_bytes) == (len(CONTENT), len(CONTENT))
    model = (await world.models())["ears"]
    assert (model.state, model.HasField("pull")) == (model_pb2.MODEL_STATE_INSTALLED, False)
    assert (await world.pulled("ears"))[-1].phase == model_pb2.PULL_PHASE_DONE
    assert hub.starts == [0]


async def test_second_caller_joins_and_nobody_has_to_watch(world: World, hub: Hub, folder: Path) -> None:
    hub.gate.clear()
    first, second = world.pull("ears"), world.pull("ears")
    await asyncio.gather(half(first), half(second))
    assert len(managers()) == 1
    first.cancel()
    second.cancel()
    models = await world.models()
    assert models["ears"].state == model_pb2.MODEL_STATE_PULLING
    assert models["ears"].pull.done_bytes == HALF
    assert (models["ears"].remove_refusal, models["ears"].use_refusal) == ("MODEL_PULLING", "MODEL_PULLING")
    assert await refusal(world.remove("ears")) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_PULLING")
    third = world.pull("ears")
    await half(third)
    hub.gate.set()
    assert (await rest(third))[-1].phase == model_pb2.PULL_PHASE_DONE
    assert hub.starts == [0]
    assert (folder / "ears" / "model.bin").read_bytes() == CONTENT


async def test_cancelled_pull_leaves_no_model_and_the_next_goes_on(
    world: World, hub: Hub, folder: Path
) -> None:
    hub.gate.clear()
    watching = world.pull("ears")
    await half(watching)
    (manager,) = managers()
    assert await world.cancel("ears")
    assert not manager.is_running()
    assert await refusal(rest(watching)) == (grpc.StatusCode.ABORTED, "PULL_CANCELLED")
    model = (await world.models())["ears"]
    assert (model.state, model.HasField("pull")) == (model_pb2.MODEL_STATE_NOT_INSTALLED, False)
    assert not (folder / "ears").exists()
    assert not await world.cancel("ears")
    hub.gate.set()
    assert (await world.pulled("ears"))[-1].phase == model_pb2.PULL_PHASE_DONE
    # What had come but was not written yet is fetched again.
    first, second = hub.starts
    assert first < second <= HALF


async def test_only_so_many_are_fetched_at_once(world: World, hub: Hub) -> None:
    hub.gate.clear()
    calls = [world.pull(name) for name in ("ears", "ears-large")]
    await asyncio.gather(*map(half, calls))
    calls.append(world.pull("words"))
    assert (await calls[-1].read()).pull.phase == model_pb2.PULL_PHASE_WAITING
    waiting = (await world.models())["words"]
    assert (waiting.state, waiting.pull.phase) == (
        model_pb2.MODEL_STATE_PULLING, model_pb2.PULL_PHASE_WAITING
    )  # fmt: skip
    assert len(managers()) == 2
    hub.gate.set()
    for call in calls:
        assert (await rest(call))[-1].phase == model_pb2.PULL_PHASE_DONE


async def test_server_that_stops_ends_its_pulls(world: World, hub: Hub) -> None:
    hub.gate.clear()
    watching = world.pull("ears")
    await half(watching)
    (manager,) = managers()
    await world.pulls.close()
    interrupted = (grpc.StatusCode.UNAVAILABLE, "PULL_INTERRUPTED")
    assert await refusal(rest(watching)) == interrupted
    assert not manager.is_running()
    assert await refusal(world.pulled("ears")) == interrupted


async def test_manager_that_is_killed_is_told(world: World, hub: Hub) -> None:
    hub.gate.clear()
    watching = world.pull("ears")
    await half(watching)
    (manager,) = managers()
    manager.kill()
    assert await refusal(rest(watching)) == (grpc.StatusCode.UNAVAILABLE, "PULL_INTERRUPTED")
    assert (await world.models())["ears"].pull.failure.reason == "PULL_INTERRUPTED"


@pytest.mark.parametrize(
    ("settings", "model", "code", "reason"),
    [
        ({}, "nothing", grpc.StatusCode.NOT_FOUND, "MODEL_UNKNOWN"),
        ({"RECORDROUTE_OFFLINE": "1"}, "ears", grpc.StatusCode.FAILED_PRECONDITION, "OFFLINE"),
        ({}, "words-huge", grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL"),
        (
            {"RECORDROUTE_MODELS_HUB_ENDPOINT": "http://127.0.0.1:9"},
            "ears",
            grpc.StatusCode.UNAVAILABLE,
            "MODEL_DOWNLOAD_FAILED",
        ),
        (
            {"RECORDROUTE_MODELS_CATALOGUE": "/none.toml"},
            "ears",
            grpc.StatusCode.FAILED_PRECONDITION,
            "CATALOGUE_INVALID",
        ),
    ],
)
async def test_why_a_pull_fails_is_told(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    model: str,
    code: grpc.StatusCode,
    reason: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert await refusal(world.pulled(model)) == (code, reason)


async def test_failed_pull_is_remembered_and_its_folder_is_for_admins(
    world: World, hub: Hub, folder: Path
) -> None:
    hub.content = bytes(len(CONTENT))
    assert await refusal(world.pulled("ears")) == (grpc.StatusCode.DATA_LOSS, "MODEL_CHECKSUM")
    failed = (await world.models())["ears"]
    assert failed.state == model_pb2.MODEL_STATE_NOT_INSTALLED
    assert (failed.pull.phase, failed.pull.failure.reason) == (
        model_pb2.PULL_PHASE_FAILED, "MODEL_CHECKSUM"
    )  # fmt: skip
    assert "corrupt twice" in failed.pull.failure.message
    assert (await world.models(scope="read"))["ears"].pull.failure.message == ""
    assert not (folder / "ears").exists()


async def test_broken_model_is_told_and_mended(world: World, folder: Path) -> None:
    install(folder, "words", "words-large")
    (folder / "words-large" / "model.bin").write_bytes(b"short")
    world.command.forget()
    broken = (await world.models())["words-large"]
    assert (broken.state, broken.use_refusal) == (model_pb2.MODEL_STATE_BROKEN, "MODEL_BROKEN")
    assert list(broken.problems) == [f"model.bin has 5 bytes instead of {len(CONTENT)}"]
    assert await refusal(world.use(LLM, "words-large")) == (
        grpc.StatusCode.FAILED_PRECONDITION, "MODEL_BROKEN"
    )  # fmt: skip
    await world.pulled("words-large")
    assert await world.use(LLM, "words-large") == "words-large"


async def test_what_is_used_stays_and_the_rest_goes(world: World, folder: Path) -> None:
    install(folder, "ears", "ears-large")
    in_use = (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_IN_USE")
    assert await world.use(STT, "ears-large") == "ears-large"
    # One is used, the service was started with the other.
    assert await refusal(world.remove("ears-large")) == in_use
    assert await refusal(world.remove("ears")) == in_use
    assert await world.use(STT, "") == "ears"
    assert await world.remove("ears-large") == len(CONTENT)
    assert not (folder / "ears-large").exists()
    assert await world.remove("ears-large") == 0
    assert await refusal(world.remove("nothing")) == (grpc.StatusCode.NOT_FOUND, "MODEL_UNKNOWN")
    assert (folder / "ears" / "model.bin").is_file()


async def test_switching(world: World, folder: Path) -> None:
    install(folder, "ears", "ears-large", "words")
    assert await world.choices.model_for(Task.STT, "") == ""
    assert await world.use(STT, "ears-large") == "ears-large"
    assert await world.choices.model_for(Task.STT, "") == "ears-large"
    assert await world.choices.model_for(Task.STT, "named") == "named"
    assert await world.choices.model_for(Task.LLM, "") == ""
    models = await world.models()
    assert {name for name, model in models.items() if model.is_current} == {"ears-large", "words"}
    assert models["ears"].is_service_default
    assert models["ears"].use_refusal == ""
    assert await world.use(LLM, "cloud/words") == "cloud/words"
    for task, model, code, reason in (
        (LLM, "ears", grpc.StatusCode.INVALID_ARGUMENT, "WRONG_TASK"),
        (STT, "nothing", grpc.StatusCode.NOT_FOUND, "MODEL_UNKNOWN"),
        (LLM, "words-large", grpc.StatusCode.FAILED_PRECONDITION, "MODEL_NOT_INSTALLED"),
        (model_pb2.MODEL_TASK_EMBEDDING, "sense", grpc.StatusCode.FAILED_PRECONDITION, "MODEL_FIXED_AT_START"),
        (model_pb2.MODEL_TASK_EMBEDDING, "", grpc.StatusCode.FAILED_PRECONDITION, "MODEL_FIXED_AT_START"),
        (model_pb2.MODEL_TASK_OTHER, "", grpc.StatusCode.INVALID_ARGUMENT, "WRONG_TASK"),
    ):  # fmt: skip
        assert await refusal(world.use(task, model)) == (code, reason), (task, model)
    assert await world.use(LLM, "") == "words"
    assert await world.choices.all() == {Task.STT: "ears-large"}


async def test_chosen_model_that_is_gone_is_shown(world: World, folder: Path) -> None:
    install(folder, "words")
    await world.choices.choose(Task.LLM, "cloud/gone")
    gone = (await world.models())["cloud/gone"]
    assert (gone.is_current, gone.state) == (True, model_pb2.MODEL_STATE_NOT_INSTALLED)
    assert not (await world.models())["words"].is_current


async def test_choices_are_kept_in_both_databases(database_url: str) -> None:
    database = Database(database_url)
    await database.migrate()
    choices = ModelChoices(database)
    for model in ("one", "two"):
        await choices.choose(Task.STT, model)
    await choices.choose(Task.LLM, "words")
    assert await ModelChoices(database).all() == {Task.STT: "two", Task.LLM: "words"}
    await choices.choose(Task.LLM, "")
    await choices.choose(Task.LLM, "")
    assert await choices.all() == {Task.STT: "two"}
    await database.close()


async def test_services_that_are_away_are_named_and_their_models_left_alone(
    make_world: MakeWorld, folder: Path
) -> None:
    async with make_world(has_services=False) as world:
        install(folder, "ears-large")
        answer = await world.stub.ListModels(model_pb2.ListModelsRequest(), timeout=SECONDS)
        assert list(answer.unavailable_services) == ["stt", "llm", "vector"]
        unavailable = (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
        assert await refusal(world.remove("ears-large")) == unavailable
        assert await refusal(world.use(STT, "ears-large")) == unavailable


@pytest.mark.parametrize("world", [""], indirect=True)
async def test_without_a_model_manager_models_can_only_be_switched(world: World, folder: Path) -> None:
    install(folder, "ears", "ears-large")
    answer = await world.stub.ListModels(model_pb2.ListModelsRequest(), timeout=SECONDS)
    assert (answer.manage_refusal, answer.free_bytes) == ("MODELS_MANAGED_ELSEWHERE", 0)
    assert {model.id for model in answer.models} == {"ears", "ears-large", "cloud/words"}
    elsewhere = (grpc.StatusCode.FAILED_PRECONDITION, "MODELS_MANAGED_ELSEWHERE")
    assert {model.pull_refusal for model in answer.models} == {elsewhere[1]}
    assert {model.remove_refusal for model in answer.models} == {elsewhere[1]}
    for call in (
        world.pulled("ears"),
        world.cancel("ears"),
        world.remove("ears-large"),
        world.remove("nothing"),
    ):
        assert await refusal(call) == elsewhere
    assert await world.use(STT, "ears-large") == "ears-large"


async def test_manager_that_can_t_be_started_is_no_riddle(make_world: MakeWorld) -> None:
    async with make_world("/none/recordroute models") as world:
        for call in (world.models(), world.pulled("ears")):
            assert await refusal(call) == (grpc.StatusCode.INTERNAL, "PULL_FAILED")
