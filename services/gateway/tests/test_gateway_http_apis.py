"""The HTTP APIs by the clients that people use, against real services with small models."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import struct
import subprocess
import sys
import time
import uuid
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cohere
import grpc
import httpx
import openai
import pytest
import schemathesis
import websockets.sync.client
from hypothesis import HealthCheck, given, settings
from recordroute.gateway.v1 import (
    identity_pb2,
    identity_pb2_grpc,
    library_pb2,
    model_pb2,
    model_pb2_grpc,
)
from recordroute_runtime.bearer import with_token
from recordroute_runtime.probe import probe
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

MODELS = {"stt": "faster-whisper-tiny.en", "llm": "smollm2-135m-instruct", "vector": "all-minilm-l6-v2"}
START_SECONDS = 240.0
TOKEN = "a-token-of-the-operator-for-tests-only"
SAID = "ask not what your country can do for you"


@dataclass(frozen=True)
class System:
    """A running gateway with its services."""

    url: str
    # Of gRPC.
    address: str

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)


def http_port(log: Path) -> int:
    """The port that a gateway that serves has taken, as it tells in its log."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return next(int(line["port"]) for line in lines if line["event"] == "serving http")


def stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        child.wait(60)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[System]:
    folder, data_dir = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("data")
    addresses = {name: f"unix:{folder}/{name}.sock" for name in (*MODELS, "gateway")}
    environment = {
        **os.environ,
        "RECORDROUTE_DATA_DIR": str(data_dir),
        "RECORDROUTE_MODELS_DIR": str(models_dir),
        "RECORDROUTE_OFFLINE": "true",
        "RECORDROUTE_GATEWAY_TOKEN": TOKEN,
        "RECORDROUTE_GATEWAY_HTTP_LISTEN": "127.0.0.1:0",
        "RECORDROUTE_LOG_FORMAT": "json",
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        **{f"RECORDROUTE_{name.upper()}_LISTEN": address for name, address in addresses.items()},
        **{f"RECORDROUTE_{name.upper()}_DRAIN_GRACE_SECONDS": "1" for name in addresses},
        **{f"RECORDROUTE_{name.upper()}_MODEL": model for name, model in MODELS.items()},
        **{f"RECORDROUTE_GATEWAY_{name.upper()}_TARGET": addresses[name] for name in MODELS},
    }
    children: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        stack.callback(stop, children)
        for name in addresses:
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            command = [sys.executable, "-m", f"recordroute_{name}"]
            child = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            children.append(child)
        deadline = time.monotonic() + START_SECONDS
        for name, address in addresses.items():
            while probe(address, "", 1.0) != "SERVING":
                assert time.monotonic() < deadline, (folder / f"{name}.log").read_text()
        yield System(f"http://127.0.0.1:{http_port(folder / 'gateway.log')}", addresses["gateway"])


@pytest.fixture(scope="module")
def web(system: System) -> Iterator[httpx.Client]:
    with system.client() as client:
        yield client


@pytest.fixture(scope="module")
def ai(system: System) -> Iterator[openai.OpenAI]:
    http = httpx.Client(trust_env=False, timeout=60)
    with openai.OpenAI(base_url=f"{system.url}/v1", api_key=TOKEN, max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture(scope="module")
def jfk(data: Path) -> Path:
    return data / "jfk.flac"


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")


def test_transcription(ai: openai.OpenAI, jfk: Path) -> None:
    with jfk.open("rb") as file:
        answer = ai.audio.transcriptions.create(file=file, model="whisper-1", language="en")
    assert SAID in plain(answer.text)
    assert answer.usage is not None
    assert (answer.usage.type, answer.usage.seconds) == ("duration", 11)


def test_transcription_in_full(ai: openai.OpenAI, jfk: Path) -> None:
    with jfk.open("rb") as file:
        answer = ai.audio.transcriptions.create(
            file=file,
            model=MODELS["stt"],
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    assert answer.duration == pytest.approx(11.0, abs=0.1)
    assert answer.language == "en"
    assert answer.segments
    assert answer.words
    assert " ".join(segment.text for segment in answer.segments) == answer.text
    assert "".join(word.word for word in answer.words).replace(" ", "") == answer.text.replace(" ", "")
    starts = [word.start for word in answer.words]
    assert starts == sorted(starts)
    assert all(0 <= segment.no_speech_prob <= 1 and segment.avg_logprob <= 0 for segment in answer.segments)
    with jfk.open("rb") as file:
        answer = ai.audio.transcriptions.create(
            file=file, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
        )
    assert answer.words
    assert answer.segments is None


def test_subtitles(ai: openai.OpenAI, data: Path) -> None:
    def transcribe(response_format: Any) -> str:
        with (data / "librivox_0880.wav").open("rb") as file:
            return ai.audio.transcriptions.create(
                file=file, model="whisper-1", response_format=response_format
            )

    times = r"00:00:0\d{0}\d\d\d --> 00:00:0\d{0}\d\d\d"
    assert re.fullmatch(rf"1\n{times.format(',')}\n.*young man.*\n", transcribe("srt"))
    assert re.fullmatch(rf"WEBVTT\n\n{times.format('[.]')}\n.*young man.*\n", transcribe("vtt"))
    assert re.fullmatch(r".*young man.*\n", transcribe("text"))


def test_transcription_as_it_is_made(ai: openai.OpenAI, jfk: Path) -> None:
    with jfk.open("rb") as file:
        events = list(ai.audio.transcriptions.create(file=file, model="whisper-1", stream=True))
    *deltas, done = events
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert done.type == "transcript.text.done"
    assert "".join(event.delta for event in deltas) == done.text
    assert SAID in plain(done.text)


def test_speakers(ai: openai.OpenAI, jfk: Path) -> None:
    with jfk.open("rb") as file:
        answer = ai.audio.transcriptions.create(file=file, model="whisper-1", response_format="diarized_json")
    assert {segment.speaker for segment in answer.segments} == {"S1"}


@pytest.mark.filterwarnings("ignore:deprecated")
def test_translation(ai: openai.OpenAI, data: Path) -> None:
    # German begins in the middle; MP3 can be cut anywhere.
    sound = (data / "multilingual.mp3").read_bytes()
    german = sound[len(sound) * 6 // 10 :][: len(sound) // 10]
    answer = ai.audio.translations.create(
        file=("german.mp3", german), model="faster-whisper-base", response_format="verbose_json"
    )
    assert answer.language == "en"
    assert answer.text
    assert answer.text.isascii()


def test_a_form_with_its_file_first(web: httpx.Client, jfk: Path) -> None:
    """As `curl -F file=@... -F model=...` sends it."""
    files = [
        ("file", ("a.flac", jfk.read_bytes())),
        ("model", (None, "whisper-1")),
        ("response_format", (None, "text")),
    ]
    answer = web.post("/v1/audio/transcriptions", files=files)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert SAID in plain(answer.text)


def test_refused_audio(ai: openai.OpenAI, web: httpx.Client, jfk: Path) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ai.audio.transcriptions.create(file=("a.mp3", b"no sound" * 100), model="whisper-1")
    assert caught.value.code == "media_unreadable"
    with pytest.raises(openai.NotFoundError) as missing:
        ai.audio.transcriptions.create(file=jfk, model="no-such-model")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as unknown:
        ai.audio.transcriptions.create(file=jfk, model="whisper-1", response_format="docx")  # type: ignore[call-overload]
    assert unknown.value.param == "response_format"
    for answer in (
        web.post("/v1/audio/transcriptions", json={}),
        web.post("/v1/audio/transcriptions", files={"other": b"x"}),
        web.post(
            "/v1/audio/transcriptions",
            content=b"--x\r\n",
            headers={"content-type": "multipart/form-data; boundary=y"},
        ),
    ):
        assert answer.status_code in (400, 415)
        assert answer.json()["error"]["type"] == "invalid_request_error"


def norm(vector: list[float]) -> float:
    return math.sqrt(sum(value * value for value in vector))


def test_embeddings(ai: openai.OpenAI) -> None:
    texts = ["The library opens in May.", "Die Bücherei öffnet im Mai.", "x"]
    answer = ai.embeddings.create(input=texts, model="default")
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert answer.model == MODELS["vector"]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 10
    assert all(norm(item.embedding) == pytest.approx(1, abs=1e-5) for item in answer.data)
    # The client asks for base64 unless it is told otherwise.
    floats = ai.embeddings.create(input=texts[0], model=MODELS["vector"], encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(answer.data[0].embedding, abs=1e-6)
    short = ai.embeddings.create(input=texts[0], model="default", dimensions=64)
    assert norm(short.data[0].embedding) == pytest.approx(1, abs=1e-5)
    scale = norm(answer.data[0].embedding[:64])
    assert [value * scale for value in short.data[0].embedding] == pytest.approx(
        answer.data[0].embedding[:64], abs=1e-5
    )


def test_embeddings_of_tokens_and_many_texts(ai: openai.OpenAI) -> None:
    one = ai.embeddings.create(input=[2023, 2003], model="default")
    two = ai.embeddings.create(input=[[2023, 2003], [102]], model="default")
    assert (len(one.data), len(two.data)) == (1, 2)
    assert one.data[0].embedding == pytest.approx(two.data[0].embedding, abs=1e-5)
    many = ai.embeddings.create(input=[f"text {i}" for i in range(300)], model="default", dimensions=8)
    assert [item.index for item in many.data] == list(range(300))


def test_refused_embeddings(ai: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        ai.embeddings.create(input="a", model="text-embedding-3-large")
    assert missing.value.code == "model_not_found"
    for arguments in (
        {"input": []},
        {"input": ""},
        {"input": ["a", ""]},
        {"input": "a", "dimensions": 100_000},
    ):
        with pytest.raises(openai.BadRequestError):
            ai.embeddings.create(model="default", **arguments)
    with pytest.raises(openai.BadRequestError) as long:
        ai.embeddings.create(input="word " * 5000, model="default")
    assert long.value.code == "text_too_long"


def test_chat(ai: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}]
    answer = ai.chat.completions.create(
        model="default", messages=messages, max_completion_tokens=8, temperature=0
    )
    choice = answer.choices[0]
    assert choice.message.content
    assert choice.finish_reason in ("stop", "length")
    assert answer.model == MODELS["llm"]
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    chunks = list(
        ai.chat.completions.create(
            model="default",
            messages=messages,
            max_tokens=8,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *parts, last = chunks
    text = "".join(chunk.choices[0].delta.content or "" for chunk in parts)
    assert text == choice.message.content
    assert parts[-1].choices[0].finish_reason == choice.finish_reason
    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == 1


def test_chat_that_fits_a_schema(ai: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    answer = ai.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "Name a colour as JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}},
        max_tokens=30,
    )
    assert json.loads(answer.choices[0].message.content or "")["colour"] in ("red", "blue")


def test_chat_with_tools(ai: openai.OpenAI) -> None:
    tool: Any = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tells the weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
    question: Any = {"role": "user", "content": "What is the weather in Paris? Use the tool."}
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
    }
    messages: Any = [
        question,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    for chat in ([question], messages):
        answer = ai.chat.completions.create(model="default", messages=chat, tools=[tool], max_tokens=48)
        choice = answer.choices[0]
        for made in choice.message.tool_calls or ():
            assert made.type == "function"
            assert made.function.name == "get_weather"
            assert isinstance(json.loads(made.function.arguments), dict)
        assert bool(choice.message.tool_calls) == (choice.finish_reason == "tool_calls")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"temperature": 9}, "temperature"),
    ],
)
def test_refused_chats(ai: openai.OpenAI, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ai.chat.completions.create(model="default", messages=[{"role": "user", "content": "a"}], **arguments)
    assert caught.value.param == field


def test_a_chat_that_is_too_long(ai: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            ai.chat.completions.create(
                model="default", messages=[{"role": "user", "content": "word " * 20_000}], stream=stream
            )
        assert caught.value.code == "context_overflow"
    with pytest.raises(openai.NotFoundError) as missing:
        ai.chat.completions.create(model="gpt-0", messages=[{"role": "user", "content": "a"}])
    assert missing.value.code == "model_not_found"


def test_default_is_what_was_switched_to(system: System, ai: openai.OpenAI) -> None:
    other = "qwen2.5-coder-0.5b-instruct"
    with with_token(grpc.insecure_channel(system.address), TOKEN) as channel:
        models = model_pb2_grpc.ModelServiceStub(channel)

        def use(model: str) -> None:
            request = model_pb2.UseModelRequest(
                request_id=str(uuid.uuid4()), task=model_pb2.MODEL_TASK_LLM, model_id=model
            )
            models.UseModel(request, timeout=60)

        def answers(model: str) -> str:
            messages: Any = [{"role": "user", "content": "Say hello."}]
            return ai.chat.completions.create(model=model, messages=messages, max_completion_tokens=1).model

        use(other)
        assert answers("default") == other
        assert answers(MODELS["llm"]) == MODELS["llm"]
        use("")
        assert answers("default") == MODELS["llm"]


def test_models(ai: openai.OpenAI, web: httpx.Client) -> None:
    ids = {model.id for model in ai.models.list()}
    assert set(MODELS.values()) <= ids
    assert ai.models.retrieve(MODELS["llm"]).owned_by == "recordroute"
    with pytest.raises(openai.NotFoundError):
        ai.models.retrieve("no/such")
    by_task = {
        model["id"]: model["task"] for model in web.get("/models").json()["models"] if model["is_default"]
    }
    assert by_task == dict(zip(MODELS.values(), ("transcription", "chat", "embedding"), strict=True))


DOCUMENTS = ["Bananas are yellow.", "The budget of the library was cut.", "It rains in Spain."]


@pytest.mark.parametrize("client", [cohere.Client, cohere.ClientV2])
def test_rerank_by_cohere(client: Any, system: System) -> None:
    http = httpx.Client(trust_env=False)
    api = client(api_key=TOKEN, base_url=system.url, httpx_client=http)
    answer = api.rerank(
        model="any", query="What happened to the library's money?", documents=DOCUMENTS, top_n=2
    )
    assert answer.results[0].index == 1
    assert len(answer.results) == 2
    scores = [item.relevance_score for item in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    with pytest.raises(cohere.BadRequestError):
        api.rerank(model="any", query="a", documents=[])


def test_inference_is_in_the_audit_log(system: System, web: httpx.Client) -> None:
    asked = time.time()
    answer = web.post("/v1/embeddings", json={"input": "rain", "model": MODELS["vector"]})
    assert answer.status_code == 200, answer.text
    with grpc.insecure_channel(system.address) as channel:
        stub = identity_pb2_grpc.IdentityServiceStub(with_token(channel, TOKEN))
        deadline = time.monotonic() + 60
        # The event is written when the response has been sent, and those of requests before this one may come late.
        while True:
            events = stub.ListAuditEvents(identity_pb2.ListAuditEventsRequest(), timeout=60).events
            mine = [event for event in events if event.time.ToNanoseconds() >= asked * 1e9]
            outcomes = {(event.action, event.user, event.outcome, event.peer) for event in mine}
            if ("http/embeddings", "local", "OK", "127.0.0.1") in outcomes:
                break
            assert time.monotonic() < deadline, outcomes


def test_rerank_returns_documents(web: httpx.Client) -> None:
    body = {"query": "rain", "documents": [{"text": text} for text in DOCUMENTS], "return_documents": True}
    answer = web.post("/v1/rerank", json=body).json()
    assert {item["document"]["text"] for item in answer["results"]} == set(DOCUMENTS)


def test_text_embeddings_inference(web: httpx.Client) -> None:
    one = web.post("/embed", json={"inputs": "rain"}).json()
    both = web.post("/embed", json={"inputs": ["rain", "sun"], "dimensions": 16}).json()
    assert len(one) == 1
    assert norm(one[0]) == pytest.approx(1, abs=1e-5)
    assert [len(vector) for vector in both] == [16, 16]
    raw = web.post("/embed", json={"inputs": "rain", "normalize": False}).json()
    assert norm(raw[0]) != pytest.approx(1, abs=1e-3)
    ranked = web.post("/rerank", json={"query": "rain", "texts": DOCUMENTS, "return_text": True}).json()
    assert ranked[0]["text"] == DOCUMENTS[ranked[0]["index"]] == "It rains in Spain."
    long = web.post("/embed", json={"inputs": "word " * 5000})
    assert long.status_code == 413
    assert long.json()["error_type"] == "Validation"
    assert web.post("/embed", json={"inputs": "word " * 5000, "truncate": True}).status_code == 200
    assert web.post("/rerank", json={"query": "", "texts": []}).json()["error_type"] == "Validation"


def watch(system: System, task_id: str) -> list[dict[str, Any]]:
    address = system.url.replace("http://", "ws://") + "/ws"
    events: list[dict[str, Any]] = []
    with connect(address) as connection:
        connection.send(json.dumps({"watch": task_id}))
        while not events or events[-1]["type"] == "progress":
            events.append(json.loads(connection.recv(timeout=120)))
    return events


@pytest.fixture(scope="module")
def recording(web: httpx.Client, jfk: Path) -> dict[str, Any]:
    """A recording that nobody has worked on yet."""
    uploaded = web.post(
        "/upload",
        files={"file": ("speech.flac", jfk.read_bytes())},
        params={"title": "The speech of a president", "allow_duplicate": "true"},
    )
    assert uploaded.status_code == 201, uploaded.text
    made: dict[str, Any] = uploaded.json()
    return made


def test_the_way_of_a_recording(
    web: httpx.Client, system: System, jfk: Path, recording: dict[str, Any]
) -> None:
    assert (recording["file_name"], recording["size_bytes"]) == ("speech.flac", jfk.stat().st_size)
    started = web.post("/process", json={"recording_id": recording["id"], "options": {"skip_summary": True}})
    assert started.status_code == 202
    task_id = started.json()["id"]
    events = watch(system, task_id)
    assert events[-1] == {"type": "end", "task_id": task_id}
    progress = events[:-1]
    assert [event["sequence"] for event in progress] == list(range(1, len(progress) + 1))
    assert (progress[-1]["stage"], progress[-1]["state"]) == (None, "succeeded"), progress[-1]
    assert {"transcribe", "embed", "index"} <= {event["stage"] for event in progress}
    assert web.get(f"/tasks/{task_id}").json()["state"] == "succeeded"
    assert [
        task["id"] for task in web.get("/tasks", params={"recording_id": recording["id"]}).json()["workflows"]
    ] == [task_id]
    assert recording["id"] in [item["id"] for item in web.get("/history").json()["recordings"]]
    text = web.get(f"/download/{recording['id']}", params={"format": "txt"})
    assert SAID in plain(text.text)
    assert text.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    hits = web.get("/search", params={"q": "what can you do for your country"}).json()["hits"]
    assert recording["id"] in {hit["recording_id"] for hit in hits}
    similar = web.get(f"/similar/{recording['id']}").json()["recordings"]
    assert recording["id"] not in {each["recording"]["id"] for each in similar}


def test_the_file(web: httpx.Client, jfk: Path, recording: dict[str, Any]) -> None:
    (found,) = web.get("/history", params={"text": recording["title"]}).json()["recordings"]
    assert found["id"] == recording["id"]
    part = web.get(f"/media/{recording['id']}", headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, jfk.read_bytes()[1000:2000])
    whole = web.get(f"/media/{recording['id']}")
    assert (whole.content, whole.headers["content-type"]) == (jfk.read_bytes(), recording["media_type"])


def test_players_that_leave_in_the_middle_of_a_file_do_no_harm(web: httpx.Client, tmp_path: Path) -> None:
    """A stream that its client has left ends after gRPC has freed its call: asking the call for anything then has ended
    the process."""
    sound = tmp_path / "long.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(64 << 20))
    added = web.post("/upload", params={"file_name": "long.wav"}, content=sound.read_bytes())
    assert added.status_code == 201, added.text
    started = web.get("/metrics").text.partition("process_start_time_seconds ")[2].split()[0]
    for _ in range(30):
        with web.stream("GET", f"/media/{added.json()['id']}", headers={"range": "bytes=0-"}) as answer:
            assert answer.status_code == 206
            next(answer.iter_raw(1 << 16))
    # The supervisor would have started another one.
    assert web.get("/metrics").text.partition("process_start_time_seconds ")[2].split()[0] == started


def call(web: httpx.Client, method: str, request: bytes, **headers: str) -> httpx.Response:
    return web.post(
        f"/recordroute.gateway.v1.{method}",
        content=struct.pack(">BI", 0, len(request)) + request,
        headers={"content-type": "application/grpc-web+proto", **headers},
    )


def test_grpc_web_reaches_the_gateway(web: httpx.Client, system: System) -> None:
    deadline = {"grpc-timeout": "60S"}
    answer = call(web, "LibraryService/ListRecordings", b"", **deadline)
    flag, size = struct.unpack_from(">BI", answer.content)
    assert flag == 0
    page = library_pb2.ListRecordingsResponse.FromString(answer.content[5 : 5 + size])
    assert [item.id for item in page.recordings] == [
        item["id"] for item in web.get("/history").json()["recordings"]
    ]
    assert b"grpc-status:0\r\n" in answer.content[5 + size :]
    # The interceptors of every call: deadline, rules of the contract, and who calls.
    for method, headers, status in (
        ("LibraryService/ListRecordings", {}, "3"),
        ("LibraryService/GetRecording", deadline, "3"),
        ("UploadService/UploadRecording", deadline, "12"),
        ("LibraryService/ListRecordings", {"authorization": "Bearer wrong", **deadline}, "16"),
    ):
        assert call(web, method, b"", **headers).headers["grpc-status"] == status
    details = call(web, "LibraryService/ListRecordings", b"").headers["grpc-status-details-bin"]
    assert b"DEADLINE_REQUIRED" in base64.b64decode(details + "=" * (-len(details) % 4))
    with httpx.Client(base_url=system.url, trust_env=False) as nobody:
        assert call(nobody, "LibraryService/ListRecordings", b"", **deadline).headers["grpc-status"] == "16"


def test_uploads_are_refused_with_reasons(web: httpx.Client) -> None:
    nothing = web.post("/upload", content=b"", params={"file_name": "a.mp3"})
    assert (nothing.status_code, nothing.json()["reason"]) == (400, "MEDIA_EMPTY")
    assert nothing.headers["content-type"] == "application/problem+json"
    assert len(nothing.json()["trace_id"]) == 32
    assert web.post("/upload", content=b"x").json()["reason"] == "FILE_NAME_MISSING"
    assert web.post("/upload", files={"file": ("a.mp3", b"x" * 5000)}).json()["reason"] == "MEDIA_UNREADABLE"
    assert web.post("/upload", files={"a": (None, "b")}).json()["reason"] == "BAD_FORM"


def test_an_upload_as_the_body(web: httpx.Client, jfk: Path) -> None:
    request_id = str(uuid.uuid4())
    parameters = {"file_name": "speech.flac", "request_id": request_id, "allow_duplicate": "true"}
    with jfk.open("rb") as file:
        first = web.post("/upload", content=file, params=parameters)
    with jfk.open("rb") as file:
        again = web.post("/upload", content=file, params=parameters)
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]


def test_cancel_and_refusals(web: httpx.Client, jfk: Path) -> None:
    nobody = str(uuid.uuid4())
    for method, path, body in (
        ("POST", "/process", {"recording_id": nobody}),
        ("POST", "/cancel", {"task_id": nobody}),
        ("GET", f"/download/{nobody}", None),
        ("GET", f"/tasks/{nobody}", None),
        ("GET", f"/history/{nobody}", None),
        ("GET", f"/media/{nobody}", None),
    ):
        answer = web.request(method, path, json=body)
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert web.get("/history", params={"page_sise": 5}).json()["reason"] == "INVALID_FIELDS"
    assert web.get("/tasks", params={"page_token": "?"}).status_code == 400
    uploaded = web.post(
        "/upload", content=jfk.read_bytes(), params={"file_name": "a.flac", "allow_duplicate": "true"}
    ).json()
    task = web.post("/process", json={"recording_id": uploaded["id"]}).json()
    stopped = web.post("/cancel", json={"task_id": task["id"]})
    assert stopped.status_code == 200
    assert stopped.json()["state"] in ("cancelled", "running", "succeeded")


def connect(address: str, token: str = TOKEN, **options: Any) -> websockets.sync.client.ClientConnection:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return websockets.sync.client.connect(address, additional_headers=headers, proxy=None, **options)


def test_progress_of_what_is_not_there(system: System) -> None:
    address = system.url.replace("http://", "ws://") + "/ws"
    nobody = str(uuid.uuid4())
    with connect(f"{address}?task_id={nobody}") as connection:
        first = json.loads(connection.recv(timeout=60))
        assert (first["type"], first["task_id"], first["reason"]) == ("error", nobody, "WORKFLOW_NOT_FOUND")
        for message in ("nonsense", '{"watch": 1}', "{}", b"\x00", '{"watch": null, "unwatch": null}'):
            connection.send(message)
            assert json.loads(connection.recv(timeout=60))["reason"] == "INVALID_MESSAGE"
    with pytest.raises(websockets.exceptions.InvalidStatus):
        connect(f"{address}?task_id=x")
    with pytest.raises(websockets.exceptions.InvalidStatus):
        connect(address, origin="https://example.org")
    for token in ("", "wrong"):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            connect(address, token)


def test_operations(web: httpx.Client) -> None:
    assert web.get("/healthz", headers={"host": "10.0.0.7"}).text == "ok\n"
    assert web.get("/readyz", headers={"host": "10.0.0.7"}).text == "ready\n"
    figures = web.get("/metrics").text
    assert 'recordroute_http_total{code="200",method="GET"}' in figures
    assert "recordroute_rpc_total" in figures


def test_base64_is_little_endian_float32(web: httpx.Client) -> None:
    body = {"input": "a", "model": "default", "encoding_format": "base64"}
    data = base64.b64decode(web.post("/v1/embeddings", json=body).json()["data"][0]["embedding"])
    assert len(data) == 4 * 384


@pytest.fixture(scope="module")
def described(system: System, web: httpx.Client) -> Any:
    document = web.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=system.url, headers={"authorization": f"Bearer {TOKEN}"})
    return schema


FUZZED = (
    "cancel", "close_session", "download", "embed", "embeddings", "healthz", "history", "media", "metrics", "models",
    "open_session", "openai_model", "openai_models", "process", "readyz", "recording", "rerank", "rerank_v1",
    "rerank_v2", "search", "similar", "task", "tasks", "upload",
)  # fmt: skip
# Their tests are above: each request is seconds of inference.
NOT_FUZZED = ("chat_completions", "transcriptions", "translations")
# There is nothing that could be wrong with these.
WITHOUT_INPUT = frozenset(
    (
        "close_session",
        "healthz",
        "metrics",
        "models",
        "open_session",
        "openai_model",
        "openai_models",
        "readyz",
    )
)
# What fits may still be refused: page tokens, media and model names are made by servers and people.
MAY_REFUSE = frozenset(
    ("embed", "embeddings", "history", "rerank", "rerank_v1", "rerank_v2", "tasks", "upload")
)
EXAMPLES = 5


@pytest.mark.parametrize(
    ("operation_id", "mode"),
    [
        (operation_id, mode)
        for operation_id in FUZZED
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or operation_id not in WITHOUT_INPUT
    ],
)
def test_no_request_finds_a_hole(operation_id: str, mode: GenerationMode, described: Any) -> None:
    """Requests that fit the OpenAPI document and requests that do not: the answers are as it says, and never a 5xx."""
    cases = described.find_operation_by_id(operation_id).as_strategy(generation_mode=mode)
    excluded = [positive_data_acceptance] if operation_id in MAY_REFUSE else []

    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case: Any) -> None:
        case.call_and_validate(timeout=60, excluded_checks=excluded)

    fuzz()


def test_every_operation_is_fuzzed(web: httpx.Client) -> None:
    paths = web.get("/openapi.json").json()["paths"]
    found = {operation["operationId"] for operations in paths.values() for operation in operations.values()}
    assert found == {*FUZZED, *NOT_FUZZED}
