"""Whatever comes, the gateway answers in the contract's words: never INTERNAL, never nothing, never its own insides.

`make fuzz EXAMPLES=n` sends n messages to each RPC.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
import recordroute.gateway.v1
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.remote import read_error

from tests.fuzz.messages import MessageMaker

EXAMPLES = int(os.environ.get("RECORDROUTE_FUZZ_EXAMPLES", "300"))
# Calls of one of Hypothesis's examples, and how many of them are under way at once. Streams are mostly waited for.
BATCH_CALLS = 200
AT_ONCE = 16
STREAMS_AT_ONCE = 64
CALL_SECONDS = 60.0
# A stream that goes on is left after this.
STREAM_SECONDS = 0.05
NEVER = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.DATA_LOSS,
}
# What must not be in an answer.
INSIDES = ("Traceback", "sqlalchemy", "sqlite", "/site-packages/", 'File "')


def _services() -> Iterator[ServiceDescriptor]:
    for module in pkgutil.iter_modules(recordroute.gateway.v1.__path__):
        if module.name.endswith("_pb2"):
            found = importlib.import_module(f"recordroute.gateway.v1.{module.name}")
            yield from found.DESCRIPTOR.services_by_name.values()


METHODS: list[MethodDescriptor] = [method for service in _services() for method in service.methods]


class Fuzzer:
    """Calls the gateway with made messages and judges what comes back."""

    def __init__(self, address: str, token: str, known: dict[str, list[str]]) -> None:
        self._address = address
        self._metadata = (("authorization", f"Bearer {token}"),)
        self.maker = MessageMaker(known)
        self.statuses: Counter[str] = Counter()
        self.sent = 0
        self._runner = asyncio.Runner()
        self._channel: grpc.aio.Channel | None = None

    def run(self, method: MethodDescriptor, seed: int, calls: int) -> None:
        """Makes so many calls."""
        self._runner.run(self._run(method, seed, calls))

    def close(self) -> None:
        if self._channel is not None:
            self._runner.run(self._channel.close())
        self._runner.close()

    async def _run(self, method: MethodDescriptor, seed: int, calls: int) -> None:
        if self._channel is None:
            options = (("grpc.enable_http_proxy", 0),)
            self._channel = grpc.aio.insecure_channel(self._address, options=options)
        channel, numbers = self._channel, iter(range(calls))

        async def work() -> None:
            for number in numbers:
                await self._call(channel, method, random.Random(f"{seed}/{number}"))

        at_once = STREAMS_AT_ONCE if method.server_streaming else AT_ONCE
        async with asyncio.timeout(CALL_SECONDS * 2), asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(work())

    async def _call(self, channel: grpc.aio.Channel, method: MethodDescriptor, chosen: random.Random) -> None:
        path = f"/{method.containing_service.full_name}/{method.name}"
        parse = GetMessageClass(method.output_type).FromString
        count = chosen.randint(1, 5) if method.client_streaming else 1
        requests = [self._request(method, chosen) for _ in range(count)]
        self.sent += count
        kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }
        call_method = kinds[method.client_streaming, method.server_streaming](
            path, request_serializer=bytes, response_deserializer=parse
        )

        async def stream() -> AsyncIterator[bytes]:
            for request in requests:
                yield request

        call = call_method(
            stream() if method.client_streaming else requests[0],
            metadata=self._metadata,
            timeout=CALL_SECONDS,
        )
        try:
            if method.server_streaming:
                try:
                    async with asyncio.timeout(STREAM_SECONDS):
                        async for _ in call:
                            pass
                except TimeoutError:
                    # A client that goes away in the middle.
                    call.cancel()
                    self.statuses["left"] += 1
                    return
            else:
                await call
        except grpc.aio.AioRpcError as error:
            self._judge(method, requests, error)
        else:
            self.statuses["OK"] += 1

    def _request(self, method: MethodDescriptor, chosen: random.Random) -> bytes:
        message = self.maker.make(method.input_type, chosen)
        if chosen.random() < 0.1:
            return self.maker.mutated(message, chosen)
        return message.SerializeToString()

    def _judge(self, method: MethodDescriptor, requests: list[bytes], error: grpc.aio.AioRpcError) -> None:
        self.statuses[error.code().name] += 1
        remote = read_error(error)
        shown = f"{method.full_name}({requests!r:.2000}): {error.code().name} {remote.message}"
        assert error.code() not in NEVER, shown
        assert remote.reason or error.code() is grpc.StatusCode.CANCELLED, shown
        assert not any(inside in remote.message for inside in INSIDES), shown


@pytest.fixture(scope="module")
def fuzzer(make_system: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzer]:
    system = make_system(
        # A line for each call costs as much as to refuse it.
        RECORDROUTE_LOG_LEVEL="warning",
        RECORDROUTE_GATEWAY_CALLS_PER_SECOND="0",
        RECORDROUTE_GATEWAY_CONCURRENT_CALLS="0",
        RECORDROUTE_GATEWAY_CONCURRENT_STREAMS="0",
    )
    system.start()
    folder = tmp_path_factory.mktemp("notes")
    recordings, workflows = [], []
    for number in range(3):
        note = folder / f"note{number}.txt"
        note.write_text(f"Note {number}. Anna sends the invitations by Friday. The library opens in May.\n")
        recordings.append(system.upload(note))
        workflows.append(system.start_workflow(recordings[-1], skip_summary=True))
    for workflow in workflows:
        list(system.watch(workflow))
    request = library_pb2.GetTranscriptRequest(recording_id=recordings[0])
    etag = system.library.GetTranscript(request, timeout=CALL_SECONDS).etag
    known = {
        "recording_id": recordings,
        "id": recordings,
        "workflow_id": workflows,
        "etag": [etag, "1", "2"],
        "label": ["S1"],
        "file_name": ["note.txt", "a.wav"],
        "url": ["https://example.org/hook", "http://127.0.0.1:9/"],
        "name": ["mine"],
        "markdown": ["# Mine\n\n## Decisions {decisions}\n"],
    }
    fuzzer = Fuzzer(system.address(), system.token(), known)
    yield fuzzer
    fuzzer.close()
    broken = system.log("gateway").partition("Traceback")
    assert not broken[1], broken[0][-500:] + broken[1] + broken[2][:6000]
    assert system.stop() == 0
    assert list(system.temporary.iterdir()) == []


@pytest.mark.timeout(max(600, EXAMPLES // 10))
@pytest.mark.parametrize(
    "method", METHODS, ids=lambda method: f"{method.containing_service.name}.{method.name}"
)
def test_any_message_gets_an_answer(fuzzer: Fuzzer, method: MethodDescriptor) -> None:
    fuzzer.statuses.clear()
    fuzzer.sent = 0
    # A stream is three messages long on average.
    calls = -(-EXAMPLES // (3 if method.client_streaming else 1))
    batches = -(-calls // BATCH_CALLS)

    @settings(
        max_examples=batches,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        # What fails says itself with what: a batch can't be made smaller, only be tried again for minutes.
        phases=[Phase.generate],
        derandomize=True,
    )
    @given(seed=st.integers(0, 2**64))
    def send(seed: int) -> None:
        fuzzer.run(method, seed, -(-calls // batches))

    send()
    print(f"{method.full_name}: {fuzzer.sent} messages, {dict(fuzzer.statuses)}")
    assert fuzzer.sent >= 0.9 * EXAMPLES
