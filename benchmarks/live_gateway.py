"""What the gateway adds to live recognition: the time of a push, and how much later captions come.

`make bench-live-gateway` starts the gateway as a process and plays to it at the pace of speech, in pushes of 100 ms:

- beside a speech service that answers each message at once (in this process), directly and through the gateway at the
  same time: the difference is the gateway's;
- beside the real one, directly and through the gateway in turn.

Writes benchmarks/results/live_gateway.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.gateway.v1 import live_pb2, live_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.wire import to_duration, to_seconds
from recordroute_stt.media import AudioDecoder

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/live_gateway.md"
RATE = 16_000
CHUNK_SECONDS = 0.1
CHUNK_BYTES = round(RATE * CHUNK_SECONDS) * 2
RECORDINGS = ("jfk.flac", "librivox_0880.wav", "librivox_0890.wav")
PAUSE_SECONDS = 1.2
MESSAGE_LIMIT_SECONDS = 60.0
# As the services' own servers: the gateway pings every ten seconds, which gRPC's default takes for abuse.
PINGS_WELCOME = [("grpc.http2.max_ping_strikes", 0)]


class Echo(stt_pb2_grpc.SttServiceServicer):
    """A speech service that answers each message at once with a final result that ends where the message does."""

    async def StreamingRecognize(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        samples = utterance = 0
        async for request in request_iterator:
            if request.HasField("config"):
                continue
            samples += len(request.audio) // 2
            end = to_duration(samples / RATE)
            yield stt_pb2.StreamingRecognizeResponse(
                result=stt_pb2.RecognitionResult(
                    utterance=utterance, is_final=True, end=end, stable_text="words", stability=1
                )
            )
            utterance += 1


@dataclass
class Played:
    """What one stream measured; seconds. `results` holds when each final result came, by the end of its audio, and
    `interim` when the first result of each utterance did, by the begin of its speech."""

    results: dict[float, float] = field(default_factory=dict)
    interim: dict[float, float] = field(default_factory=dict)
    pushes: list[float] = field(default_factory=list)

    def take(self, result: stt_pb2.RecognitionResult, at: float) -> None:
        if result.is_final:
            self.results[round(to_seconds(result.end), 2)] = at
        else:
            self.interim.setdefault(round(to_seconds(result.start), 2), at)


def config() -> live_pb2.LiveConfig:
    return live_pb2.LiveConfig(
        request_id=str(uuid.uuid4()),
        encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hertz=RATE,
        interim_results=True,
        skip_workflow=True,
        options={"language": "en"},
    )


async def paced(audio: bytes, began: float) -> AsyncIterator[bytes]:
    """Yields chunks when they have been spoken."""
    for number, start in enumerate(range(0, len(audio), CHUNK_BYTES), 1):
        await asyncio.sleep(max(0.0, began + number * CHUNK_SECONDS - time.monotonic()))
        yield audio[start : start + CHUNK_BYTES]


async def play_directly(channel: grpc.aio.Channel, audio: bytes, began: float) -> Played:
    played = Played()

    async def requests() -> AsyncIterator[stt_pb2.StreamingRecognizeRequest]:
        yield stt_pb2.StreamingRecognizeRequest(
            config=stt_pb2.StreamingRecognizeConfig(
                encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
                sample_rate_hertz=RATE,
                language="en",
                interim_results=True,
            )
        )
        async for chunk in paced(audio, began):
            yield stt_pb2.StreamingRecognizeRequest(audio=chunk)

    async for response in stt_pb2_grpc.SttServiceStub(channel).StreamingRecognize(requests()):
        if response.HasField("result"):
            played.take(response.result, time.monotonic() - began)
    return played


async def play_through(channel: grpc.aio.Channel, audio: bytes, began: float) -> Played:
    played, stub = Played(), live_pb2_grpc.LiveServiceStub(channel)
    stream = stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config()))
    session_id = (await stream.read()).event.opened.id

    async def push(sequence: int, chunk: bytes, last: bool) -> None:
        request = live_pb2.PushLiveAudioRequest(
            session_id=session_id,
            audio=live_pb2.LiveAudio(sequence=sequence, audio=chunk, end_of_audio=last),
        )
        before = time.monotonic()
        await stub.PushLiveAudio(request, timeout=30)
        played.pushes.append(time.monotonic() - before)

    async def pushes() -> None:
        sequence = 0
        async for chunk in paced(audio, began):
            await push(sequence, chunk, last=False)
            sequence += 1
        await push(sequence, b"", last=True)

    pushing = asyncio.create_task(pushes())
    while (response := await stream.read()) is not grpc.aio.EOF:
        if response.event.HasField("caption"):
            played.take(response.event.caption.result, time.monotonic() - began)
    await pushing
    return played


async def unary_baseline(channel: grpc.aio.Channel, seconds: float) -> list[float]:
    """Times the plainest call of the same server, ten times a second: what any unary call costs."""
    stub, times = health_pb2_grpc.HealthStub(channel), []
    ended = time.monotonic() + seconds
    while time.monotonic() < ended:
        before = time.monotonic()
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=30)
        times.append(time.monotonic() - before)
        await asyncio.sleep(CHUNK_SECONDS)
    return times


class Order(Enum):
    """When the direct stream is played."""

    AT_ONCE = auto()
    DIRECTLY_FIRST = auto()
    GATEWAY_FIRST = auto()


@dataclass
class Row:
    """The figures of one run."""

    name: str
    sessions: int
    pushes: list[float] = field(default_factory=list)
    unary: list[float] = field(default_factory=list)
    direct: list[float] = field(default_factory=list)
    through: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)
    first_added: list[float] = field(default_factory=list)
    cores: float = 0.0


async def measure(
    name: str,
    stt: str,
    gateway: str,
    process: psutil.Process,
    audio: bytes,
    sessions: int,
    order: Order = Order.AT_ONCE,
) -> Row:
    """Plays to the gateway in `sessions` sessions, which push one after another, and once directly."""
    row = Row(name, sessions)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with (
        grpc.aio.insecure_channel(stt, options=options) as stt_channel,
        grpc.aio.insecure_channel(gateway, options=options) as channel,
    ):

        async def directly() -> Played:
            return await play_directly(stt_channel, audio, time.monotonic() + 0.5)

        async def through_gateway() -> tuple[list[float], list[Played]]:
            began, before = time.monotonic() + 0.5, process.cpu_times()
            begins = [began + CHUNK_SECONDS * number / sessions for number in range(sessions)]
            unary, *played = await asyncio.gather(
                unary_baseline(channel, len(audio) / 2 / RATE),
                *(play_through(channel, audio, begin) for begin in begins),
            )
            after, wall = process.cpu_times(), time.monotonic() - began
            spent = (after.user + after.system) - (before.user + before.system)
            row.cores = spent / wall / sessions
            return unary, played

        if order is Order.AT_ONCE:
            direct, (row.unary, through) = await asyncio.gather(directly(), through_gateway())
        elif order is Order.DIRECTLY_FIRST:
            direct = await directly()
            row.unary, through = await through_gateway()
        else:
            row.unary, through = await through_gateway()
            direct = await directly()
    for played in through:
        row.pushes += played.pushes
        for results, other, added in (
            (played.results, direct.results, row.added),
            (played.interim, direct.interim, row.first_added),
        ):
            for key, at in results.items():
                near = min(other, key=lambda known: abs(known - key), default=None)
                if near is not None and abs(near - key) < 0.1:
                    added.append(at - other[near])
        row.through += [at - end for end, at in played.results.items()]
    row.direct = [at - end for end, at in direct.results.items()]
    return row


async def serving(target: str, process: subprocess.Popen[bytes]) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        ended = time.monotonic() + 120
        while time.monotonic() < ended and process.poll() is None:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)
                continue
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"no server at {target}")


@asynccontextmanager
async def started(module: str, target: str, **variables: str) -> AsyncIterator[psutil.Process]:
    """A service as a process of its own."""
    environment = {
        **os.environ,
        "RECORDROUTE_LOG_LEVEL": "error",
        "RECORDROUTE_GATEWAY_AUTH": "none",
        **variables,
    }
    process = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-m", module], env=environment)
    try:
        await serving(target, process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


@asynccontextmanager
async def gateway(folder: Path, stt: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    data = folder / uuid.uuid4().hex
    data.mkdir()
    listen = f"unix:{data}/gateway.sock"
    async with started(
        "recordroute_gateway",
        listen,
        RECORDROUTE_DATA_DIR=str(data),
        RECORDROUTE_GATEWAY_LISTEN=listen,
        RECORDROUTE_GATEWAY_STT_TARGET=stt,
        RECORDROUTE_GATEWAY_AUTH="none",
        RECORDROUTE_GATEWAY_LIVE_SESSIONS_PER_USER="100",
    ) as process:
        yield listen, process


def speech() -> bytes:
    """Returns the recordings with pauses between them, as 16-bit samples."""
    pause = np.zeros(round(PAUSE_SECONDS * RATE), np.float32)
    parts = []
    for name in RECORDINGS:
        with (ROOT / "tests/data" / name).open("rb") as file, AudioDecoder(file, max_seconds=3600) as decoder:
            parts += [*decoder.blocks(), pause]
    joined = np.concatenate(parts)
    noise = np.random.default_rng(1).normal(0, 2e-4, len(joined))
    return (np.clip(joined + noise, -1, 1) * 32767).astype("<i2").tobytes()


def pair(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{1000 * np.percentile(values, 50):.1f} / {1000 * np.percentile(values, 95):.1f}"


async def bench(arguments: argparse.Namespace) -> str:
    audio = speech()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        echo = grpc.aio.server(options=PINGS_WELCOME)
        stt_pb2_grpc.add_SttServiceServicer_to_server(Echo(), echo)
        target = f"unix:{folder}/echo.sock"
        echo.add_insecure_port(target)
        await echo.start()
        async with gateway(folder, target) as (listen, process):
            await measure("warm-up", target, listen, process, audio[: 3 * 2 * RATE], 1)
            for sessions in arguments.sessions:
                short = audio[: round(arguments.seconds * 2 * RATE)]
                rows.append(await measure("stand-in", target, listen, process, short, sessions))
        await echo.stop(0)
        stt = f"unix:{folder}/stt.sock"
        variables = {
            "RECORDROUTE_STT_LISTEN": stt,
            "RECORDROUTE_STT_MODEL": arguments.model,
            "RECORDROUTE_STT_LIVE_MAX_STREAMS": "8",
        }
        async with started("recordroute_stt", stt, **variables), gateway(folder, stt) as (listen, process):
            await measure("warm-up", stt, listen, process, audio[: 8 * 2 * RATE], 1)
            for number in range(arguments.rounds):
                order = Order.GATEWAY_FIRST if number % 2 else Order.DIRECTLY_FIRST
                rows.append(await measure(arguments.model, stt, listen, process, audio, 1, order))
    return report(rows, arguments)


def report(rows: Sequence[Row], arguments: argparse.Namespace) -> str:
    real = [row for row in rows if row.name == arguments.model]
    merged = Row(arguments.model, 1)
    for row in real:
        for name in ("pushes", "unary", "direct", "through", "added", "first_added"):
            getattr(merged, name).extend(getattr(row, name))
    merged.cores = float(np.mean([row.cores for row in real]))
    shown = [*(row for row in rows if row.name != arguments.model), merged]
    lines = [
        "# Live sessions through the gateway",
        "",
        f"`make bench-live-gateway`: {os.cpu_count()} cores ({platform.machine()}), "
        f"{os.getloadavg()[0]:.1f} load at the end; Python {platform.python_version()}, grpcio {version('grpcio')}. "
        "Pushes of 100 ms of 16 kHz mono, at the pace of speech, over a unix socket. p50 / p95 in milliseconds.",
        "",
        "| Speech service | Sessions | `PushLiveAudio` | Health check, same time | Caption later than directly | "
        "First interim later than directly | Gateway's cores a session |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in shown:
        lines.append(
            f"| {row.name} | {row.sessions} | {pair(row.pushes)} | {pair(row.unary)} | {pair(row.added)} | "
            f"{pair(row.first_added)} | {row.cores:.3f} |"
        )
    lines += [
        "",
        "- Push: from the call to its answer; the audio is written then, and synced to disk within a second.",
        "- Health check: the plainest unary call of the same server at the same time: what any call costs there.",
        "- Later than directly: the same audio goes to the speech service directly and through the gateway, and the "
        "times of the same results are compared. The stand-in answers each message at once, so that its row is the "
        "gateway alone: push, write, read back, two hops; both ways at the same time. The real service is asked in "
        f"turn, {arguments.rounds} times each way, so that they don't wait for one decoder; on a shared machine what a "
        "decode takes differs from time to time by far more than the gateway adds, in either direction.",
        f"- Final caption after the end of its audio, {arguments.model}: {pair(merged.direct)} directly, "
        f"{pair(merged.through)} through the gateway ({len(merged.direct)} and {len(merged.through)} results; the "
        "endpoint's silence of 500 ms included).",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sessions", type=int, nargs="+", default=[1, 8], help="sessions beside the stand-in"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the runs beside the stand-in")
    parser.add_argument("--rounds", type=int, default=4, help="runs beside the real service")
    parser.add_argument("--model", default="faster-whisper-tiny.en", help="speech model")
    parser.add_argument("--output", type=Path, default=RESULT, help="Markdown file to write")
    arguments = parser.parse_args()
    text = asyncio.run(bench(arguments))
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
