"""What it costs to watch the library: changes a second to 500 watchers, and the memory of idle ones.

    .venv/bin/python benchmarks/watchers.py

One real gateway (SQLite, TCP on loopback) serves; each watcher has a connection of its own, as browsers do, and all
are of one user, so that every change goes to all of them. A change is an UpdateRecording over the wire. Beside it, in
the same run, runs a plain grpc.aio server that sends a message of the same size to as many streams as fast as it can,
with the same client: what such a fan-out can do at most. Memory is the resident memory of the gateway's process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
from google.protobuf.field_mask_pb2 import FieldMask
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.gateway.v1 import library_pb2, library_pb2_grpc, watch_pb2, watch_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database, library_url
from recordroute_gateway.library.changes import ChangeKind, append_changes
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.settings import CommonSettings

RECORDINGS = 50
WATCHERS = 500
IDLE_WATCHERS = 1000
PACED_PER_SECOND = 10
SECONDS = 5.0
OPENING_AT_ONCE = 50
CHANNEL = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


async def fill(data_dir: Path) -> list[str]:
    """Makes a library with recordings as they are after their workflow; returns their ids."""
    common = CommonSettings(data_dir=data_dir)
    database = Database(library_url(GatewaySettings(), common))
    await database.migrate()
    library = LibraryStore(database, BlobStore(data_dir, ""))
    library.blobs.open()
    ids = []
    for number in range(RECORDINGS):
        now = datetime.now(UTC)
        media = Artifact(ArtifactKind.MEDIA, await library.blobs.put(str(number).encode()), 1, "", "", now)
        new = Recording(str(uuid.uuid4()), "local", f"Talk {number}", "talk.mp3", 60.0, "en", now, now)
        recording = await library.create(new, str(uuid.uuid4()), media)
        for kind in (ArtifactKind.TRANSCRIPT, ArtifactKind.MINUTES, ArtifactKind.EMBEDDINGS):
            await library.put_artifact(
                recording.id, kind, b"{}", model="model", workflow_id=str(uuid.uuid4())
            )
        ids.append(recording.id)
    await database.close()
    return ids


async def serve_plain(port: int, size: int) -> None:
    """The comparison: a server that only sends."""

    class Plain(watch_pb2_grpc.WatchServiceServicer):
        async def WatchLibrary(self, request: Any, context: Any) -> AsyncIterator[Any]:
            title = "x" * max(1, size - 60)
            answer = watch_pb2.WatchLibraryResponse(recording=library_pb2.Recording(title=title))
            while True:
                answer.sequence += 1
                yield answer

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    watch_pb2_grpc.add_WatchServiceServicer_to_server(Plain(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


@asynccontextmanager
async def running(
    arguments: list[str], port: int, environment: dict[str, str]
) -> AsyncIterator[psutil.Process]:
    """Runs a server in a process of its own, from when it answers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **environment}
    )
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL) as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            if "-m" in arguments:
                health: Any = health_pb2_grpc.HealthStub(channel)
                async for answer in health.Watch(health_pb2.HealthCheckRequest()):
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        break
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()


class Watchers:
    """Streams that count what comes; `delays` are seconds from the change to its arrival."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._channels: list[grpc.aio.Channel] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.received = 0
        self.delays: list[float] = []

    async def open(self, count: int) -> None:
        """Opens streams until there are `count`, each on its own connection; returns when all have begun."""
        while len(self._tasks) < count:
            begun = [asyncio.Event() for _ in range(min(OPENING_AT_ONCE, count - len(self._tasks)))]
            for event in begun:
                channel = grpc.aio.insecure_channel(f"127.0.0.1:{self._port}", options=CHANNEL)
                self._channels.append(channel)
                self._tasks.append(asyncio.create_task(self._read(channel, event)))
            await asyncio.gather(*(event.wait() for event in begun))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def _read(self, channel: grpc.aio.Channel, begun: asyncio.Event) -> None:
        call = watch_pb2_grpc.WatchServiceStub(channel).WatchLibrary(watch_pb2.WatchLibraryRequest())
        async for response in call:
            begun.set()
            self.received += 1
            if response.HasField("time") and self.received % 20 == 0:
                self.delays.append(time.time() - response.time.ToNanoseconds() / 1e9)


class Writer:
    """Changes recordings over the wire."""

    def __init__(self, channel: grpc.aio.Channel, ids: list[str]) -> None:
        self._stub = library_pb2_grpc.LibraryServiceStub(channel)
        self._ids = ids
        self.count = 0

    async def change(self) -> None:
        self.count += 1
        recording = library_pb2.Recording(
            id=self._ids[self.count % len(self._ids)], title=f"Talk {uuid.uuid4()}"
        )
        request = library_pb2.UpdateRecordingRequest(
            request_id=str(uuid.uuid4()), recording=recording, update_mask=FieldMask(paths=["title"])
        )
        await self._stub.UpdateRecording(request, timeout=30)

    async def paced(self, per_second: float, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            await self.change()
            await asyncio.sleep(max(0.0, now + 1 / per_second - time.monotonic()))

    async def saturate(self, seconds: float) -> None:
        async def one(end: float) -> None:
            while time.monotonic() < end:
                await self.change()

        end = time.monotonic() + seconds
        await asyncio.gather(*(one(end) for _ in range(4)))


async def change_all(data_dir: Path, ids: list[str], seconds: float) -> None:
    """Logs changes of all recordings at once, as another replica does that edits many: more than can be told."""
    database = Database(library_url(GatewaySettings(), CommonSettings(data_dir=data_dir)))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        async with database.write() as connection:
            things = [(ChangeKind.RECORDING, recording_id) for recording_id in ids]
            await append_changes(database, connection, ["local"], things)
        await asyncio.sleep(0.1)
    await database.close()


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def rss(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1024


async def idle_cpu(process: psutil.Process) -> float:
    """Returns the share of a core that the process takes while nothing happens."""
    before = cpu(process)
    await asyncio.sleep(SECONDS)
    return (cpu(process) - before) / SECONDS


class Rows:
    """A table, printed as it comes."""

    def append(self, row: tuple[str, str]) -> None:
        print(f"| {row[0]} | {row[1]} |", flush=True)

    def __iadd__(self, rows: list[tuple[str, str]]) -> Rows:
        for row in rows:
            self.append(row)
        return self


async def measure(port: int) -> None:
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder:
        ids = await fill(Path(folder))
        environment = {
            "RECORDROUTE_DATA_DIR": folder,
            "RECORDROUTE_GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "RECORDROUTE_GATEWAY_AUTH": "none",
            "RECORDROUTE_GATEWAY_CALLS_PER_SECOND": "0",
            "RECORDROUTE_GATEWAY_CONCURRENT_STREAMS": "0",
            "RECORDROUTE_LOG_LEVEL": "warning",
        }
        async with (
            running(["-m", "recordroute_gateway"], port, environment) as gateway,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL) as channel,
        ):
            writer = Writer(channel, ids)
            for _ in range(RECORDINGS):
                await writer.change()
            none_cpu, none_rss = await idle_cpu(gateway), rss(gateway)
            watchers = Watchers(port)
            await watchers.open(WATCHERS)
            some_rss = rss(gateway)
            rows.append(("idle, no watchers: share of a core", f"{none_cpu:.3f}"))
            rows.append(("idle, 500 watchers: share of a core", f"{await idle_cpu(gateway):.3f}"))
            rows.append(("500 idle watchers: memory of each", f"{(some_rss - none_rss) / WATCHERS:.1f} KiB"))

            watchers.received, watchers.delays, writer.count = 0, [], 0
            used = cpu(gateway)
            await writer.paced(PACED_PER_SECOND, SECONDS)
            await asyncio.sleep(2)
            share = (cpu(gateway) - used) / SECONDS
            rows += [
                (f"{PACED_PER_SECOND} changes/s to 500 watchers: changes made", str(writer.count)),
                ("arrived at each watcher (mean)", f"{watchers.received / WATCHERS:.1f}"),
                ("median delay", f"{statistics.median(watchers.delays) * 1000:.0f} ms"),
                ("95 % within", f"{statistics.quantiles(watchers.delays, n=20)[-1] * 1000:.0f} ms"),
                ("share of a core", f"{share:.2f}"),
            ]

            watchers.received, writer.count = 0, 0
            began = time.monotonic()
            await writer.saturate(SECONDS)
            told = watchers.received / (time.monotonic() - began)
            await asyncio.sleep(3)
            rows += [
                ("as many changes as can be made: changes/s", f"{writer.count / SECONDS:.0f}"),
                ("messages/s to all watchers", f"{told:.0f}"),
            ]

            watchers.received, used, began = 0, cpu(gateway), time.monotonic()
            await change_all(Path(folder), ids, SECONDS)
            delivered = watchers.received / (time.monotonic() - began)
            share = (cpu(gateway) - used) / (time.monotonic() - began)
            await asyncio.sleep(3)
            rows += [
                (f"{RECORDINGS} recordings changed at once, all the time: messages/s", f"{delivered:.0f}"),
                ("share of a core", f"{share:.2f}"),
            ]
            loaded_rss = rss(gateway)
            rows.append(
                ("memory of each watcher after that", f"{(loaded_rss - none_rss) / WATCHERS:.1f} KiB")
            )

            before = rss(gateway)
            await watchers.open(IDLE_WATCHERS)
            rows.append(("the next 500 watchers: memory of each", f"{(rss(gateway) - before) / 500:.1f} KiB"))
            rows.append(("idle, 1000 watchers: share of a core", f"{await idle_cpu(gateway):.3f}"))
            size = len(
                await channel.unary_unary(
                    "/recordroute.gateway.v1.LibraryService/GetRecording",
                    request_serializer=library_pb2.GetRecordingRequest.SerializeToString,
                )(library_pb2.GetRecordingRequest(recording_id=ids[0]), timeout=30)
            )
            await watchers.close()
        arguments = [__file__, "--plain-server", str(port + 1), str(size)]
        async with running(arguments, port + 1, {}):
            watchers = Watchers(port + 1)
            await watchers.open(WATCHERS)
            before, began = watchers.received, time.monotonic()
            await asyncio.sleep(SECONDS)
            plain = (watchers.received - before) / (time.monotonic() - began)
            await watchers.close()
        rows += [
            (f"plain server, messages of {size} bytes: messages/s to 500 streams", f"{plain:.0f}"),
            ("gateway : plain server", f"{delivered / plain:.2f}"),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7650, help="first of two free ports")
    parser.add_argument("--plain-server", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    if arguments.plain_server:
        asyncio.run(serve_plain(*arguments.plain_server))
        return
    print("| What | |\n|---|---:|", flush=True)
    asyncio.run(measure(arguments.port))


if __name__ == "__main__":
    main()
