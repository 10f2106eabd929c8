"""How fast does the gateway take files in, next to gRPC itself?

The same bytes in turns, in one run: to a gRPC server that throws away what it gets (what the transport allows), to the
gateway's UploadRecording, and to its upload in chunks. The servers are processes of their own, the client is the
blocking one that the command line has. An upload ends when the recording is there: hashed, durable, and looked at.

    python benchmarks/upload.py [--size-mib 1024] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import google_crc32c
import grpc
import grpc.aio
import psutil
import uvloop
from recordroute.gateway.v1 import upload_pb2, upload_pb2_grpc

RESULT = Path(__file__).parent / "results/upload.md"
MIB = 1 << 20
CHUNK_BYTES = MIB
HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
# As the command line sets it for the gateway.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "67108864"}
Send = Callable[[grpc.Channel, "Sound"], None]
RAW_METHOD = "/raw.Raw/Put"
RAW_CALL = "/raw.Raw/PutOne"
OPTIONS = (("grpc.enable_http_proxy", 0),)
RAW = "raw gRPC stream"


async def serve_raw() -> None:
    """Serves a method that counts bytes."""

    async def put(requests: object, _: object) -> bytes:
        return str(sum([len(chunk) async for chunk in requests])).encode()  # type: ignore[attr-defined]

    async def put_one(request: bytes, _: object) -> bytes:
        return str(len(request)).encode()

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers = {
        "Put": grpc.stream_unary_rpc_method_handler(put),
        "PutOne": grpc.unary_unary_rpc_method_handler(put_one),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("raw.Raw", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


async def serve_gateway(data_dir: Path) -> None:
    """Serves the real gateway; nothing behind it is needed to upload."""
    from recordroute_gateway.service import GatewayService
    from recordroute_gateway.settings import GatewaySettings
    from recordroute_runtime.server import RunningServer
    from recordroute_runtime.settings import CommonSettings
    from recordroute_runtime.telemetry import configure_telemetry

    # No person calls as often as this client does.
    settings = GatewaySettings(listen="127.0.0.1:0", auth="none", calls_per_second=0)
    common = CommonSettings(data_dir=data_dir, log_level="error")
    configure_telemetry("gateway", common)
    server = RunningServer(GatewayService(settings, common), settings)
    await server.start()
    await server.loaded()
    print(server.port, flush=True)
    await asyncio.Event().wait()


class Server:
    """A server in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **MALLOC},
        )
        assert self._process.stdout is not None
        port = ""
        while not port.strip().isdecimal():
            port = self._process.stdout.readline()
            assert port, "the server did not start"
        self.channel = grpc.insecure_channel(f"127.0.0.1:{int(port)}", options=OPTIONS)
        self._psutil = psutil.Process(self._process.pid)

    def cpu_seconds(self) -> float:
        times = self._psutil.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def peak_mib(self) -> float:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmHWM")

    def close(self) -> None:
        self.channel.close()
        self._process.kill()
        self._process.wait()


class Sound:
    """A WAV file of noise, made while it is read."""

    def __init__(self, mib: int) -> None:
        self.mib = mib
        bytes_of_sound = mib * MIB - HEAD.size
        self._head = HEAD.pack(
            *(
                b"RIFF",
                mib * MIB - 8,
                b"WAVE",
                b"fmt ",
                16,
                1,
                2,
                48000,
                192000,
                4,
                16,
                b"data",
                bytes_of_sound,
            )
        )
        self._noise = memoryview(os.urandom(16 * MIB))

    def pieces(self, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """Yields the file."""
        yield self._head + self._noise[HEAD.size : size].tobytes()
        for number in range(1, self.mib * MIB // size):
            start = number * size % len(self._noise)
            yield self._noise[start : start + size].tobytes()

    def config(self) -> upload_pb2.UploadConfig:
        """Says what is going to be sent."""
        return upload_pb2.UploadConfig(
            request_id=str(uuid.uuid4()),
            file_name="noise.wav",
            size_bytes=self.mib * MIB,
            allow_duplicate=True,
        )


def send_raw(channel: grpc.Channel, sound: Sound) -> None:
    answer = channel.stream_unary(RAW_METHOD)(sound.pieces(), timeout=600)
    assert int(answer) == sound.mib * MIB


def send_raw_calls(channel: grpc.Channel, sound: Sound) -> None:
    call = channel.unary_unary(RAW_CALL)
    with ThreadPoolExecutor(4) as threads:
        running = []
        for data in sound.pieces():
            running.append(threads.submit(call, data, timeout=60))
            if len(running) >= 4:
                assert int(running.pop(0).result()) == MIB
        for sent in running:
            sent.result()


def send_stream(channel: grpc.Channel, sound: Sound) -> None:
    def messages() -> Iterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(config=sound.config())
        for piece in sound.pieces():
            yield upload_pb2.UploadRecordingRequest(chunk=piece)

    recording = upload_pb2_grpc.UploadServiceStub(channel).UploadRecording(messages(), timeout=600).recording
    assert recording.size_bytes == sound.mib * MIB


def send_chunks(channel: grpc.Channel, sound: Sound, *, size: int, in_flight: int) -> None:
    stub = upload_pb2_grpc.UploadServiceStub(channel)
    upload = stub.CreateUpload(upload_pb2.CreateUploadRequest(config=sound.config()), timeout=60).upload
    digest = hashlib.sha256()

    def put(offset: int, data: bytes) -> None:
        crc32c = google_crc32c.value(data)
        request = upload_pb2.UploadChunkRequest(upload_id=upload.id, offset=offset, data=data, crc32c=crc32c)
        stub.UploadChunk(request, timeout=60)

    with ThreadPoolExecutor(in_flight) as threads:
        running = []
        for number, data in enumerate(sound.pieces(size)):
            running.append(threads.submit(put, number * size, data))
            digest.update(data)
            if len(running) >= in_flight:
                running.pop(0).result()
        for sent in running:
            sent.result()
    request = upload_pb2.CompleteUploadRequest(upload_id=upload.id, sha256=digest.hexdigest())
    recording = stub.CompleteUpload(request, timeout=600).recording
    assert recording.size_bytes == sound.mib * MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--print", action="store_true", help="Do not write the result.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw, gateway = Server("serve-raw"), Server("serve-gateway", folder)

        def chunked(size: int, in_flight: int) -> Send:
            return lambda channel, sound: send_chunks(channel, sound, size=size, in_flight=in_flight)

        large, small = Sound(arguments.size_mib), Sound(32)
        ways: dict[str, tuple[Server, Send, Sound]] = {
            RAW: (raw, send_raw, large),
            "raw gRPC calls of 1 MiB, 4 at once": (raw, send_raw_calls, large),
            "UploadRecording": (gateway, send_stream, large),
            "UploadRecording, 32 MiB": (gateway, send_stream, small),
            "chunks of 1 MiB, 4 at once": (gateway, chunked(MIB, 4), large),
            "chunks of 1 MiB, 1 at once": (gateway, chunked(MIB, 1), large),
            "chunks of 2 MiB, 4 at once": (gateway, chunked(2 * MIB, 4), large),
            "chunks of 64 KiB, 4 at once, 32 MiB": (gateway, chunked(64 << 10, 4), small),
        }
        try:
            for server, send, _ in ways.values():
                send(server.channel, small)
            memory = gateway.peak_mib()
            speeds: dict[str, list[float]] = {name: [] for name in ways}
            cpu: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(arguments.rounds):
                for name, (server, send, sound) in ways.items():
                    started, used = time.monotonic(), server.cpu_seconds()
                    send(server.channel, sound)
                    speeds[name].append(sound.mib / (time.monotonic() - started))
                    cpu[name].append(1000 * (server.cpu_seconds() - used) / sound.mib)
            grown = gateway.peak_mib() - memory
        finally:
            raw.close()
            gateway.close()
    text = report(arguments.size_mib, arguments.rounds, speeds, cpu, grown)
    print(text)
    if not arguments.print:
        RESULT.write_text(text)


def report(
    size_mib: int, rounds: int, speeds: dict[str, list[float]], cpu: dict[str, list[float]], grown_mib: float
) -> str:
    raw = speeds[RAW]
    lines = [
        "# Uploads, next to gRPC itself",
        "",
        f"`python benchmarks/upload.py --size-mib {size_mib} --rounds {rounds}`",
        "",
        f"A WAV file of {size_mib} MiB over loopback in messages of 1 MiB, {rounds} rounds in turns; the median, the",
        "slowest and the fastest round. The raw server only counts the bytes that it gets; its calls are what gRPC",
        "allows an upload in chunks. An upload is done when the recording is there: hashed, flushed to the disk,",
        "probed and in the database. The ratio is of the medians; in brackets that of the fastest rounds, which",
        "whatever else runs on the machine disturbed least. The server's CPU time is that of its process and its",
        "children.",
        "",
        "| | MiB/s | of raw | server CPU, ms a MiB |",
        "|---|---|---|---|",
    ]
    for name, values in speeds.items():
        lines.append(
            f"| {name} | {statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f}) "
            f"| {statistics.median(values) / statistics.median(raw):.2f} ({max(values) / max(raw):.2f}) "
            f"| {statistics.median(cpu[name]):.2f} |"
        )
    lines += [
        "",
        f"The gateway's peak memory grew by {grown_mib:.0f} MiB from files of 32 MiB to files of {size_mib} MiB.",
        "",
        f"Python {platform.python_version()}, grpcio {grpc.__version__}, {os.cpu_count()} cores, Linux "
        f"{platform.release().split('-')[0]}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve-raw"]:
        uvloop.run(serve_raw())
    elif sys.argv[1:2] == ["serve-gateway"]:
        uvloop.run(serve_gateway(Path(sys.argv[2])))
    else:
        main()
