"""The runtime kit, exercised by a real service over a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import grpc
import grpc.aio
import pytest
import structlog.testing
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import ModelMissing, Overloaded
from recordroute_runtime.inference import CancelToken, InferencePool
from recordroute_runtime.interceptors.handlers import writing_handler
from recordroute_runtime.server import AddressInUse, RunningServer
from recordroute_runtime.settings import ServerSettings
from recordroute_runtime.telemetry import call_span, current_trace_id
from recordroute_runtime.wire import to_duration


class Behaviour(llm_pb2_grpc.LlmServiceServicer):
    """Answers Title with what the test wants, and Summarize with numbers until it is stopped."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.pool = InferencePool("test", 1)
        self.produced = 0
        self.stopped = threading.Event()

    async def Title(self, request, context):
        if self.error is not None:
            raise self.error
        return llm_pb2.TitleResponse(title=request.segments[0].text)

    async def Summarize(self, request, context):
        def numbers(token: CancelToken) -> Iterator[int]:
            try:
                while not token.cancelled:
                    self.produced += 1
                    yield self.produced
            finally:
                self.stopped.set()

        stream = self.pool.stream(numbers)
        try:
            async for number in stream:
                yield llm_pb2.SummarizeResponse(delta=llm_pb2.SummarizeDelta(chunk=number, text="x" * 10_000))
                if self.error is not None:
                    raise self.error
        finally:
            await stream.aclose()


class TestService:
    __test__ = False
    names = ("recordroute.llm.v1.LlmService",)

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.may_load = asyncio.Event()
        self.load_error: Exception | None = None
        self.closed = False

    def register(self, server: grpc.aio.Server) -> None:
        llm_pb2_grpc.add_LlmServiceServicer_to_server(self.behaviour, server)

    async def load(self) -> None:
        if self.load_error is not None:
            error, self.load_error = self.load_error, None
            raise error
        await self.may_load.wait()

    async def close(self) -> None:
        self.closed = True
        await self.behaviour.pool.close()


def settings(**values: object) -> ServerSettings:
    return ServerSettings(listen="127.0.0.1:0", drain_grace_seconds=1.0, **values)


@asynccontextmanager
async def running(service: TestService) -> AsyncIterator[tuple[RunningServer, grpc.aio.Channel]]:
    server = RunningServer(service, settings(reflection=True))
    await server.start()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        try:
            yield server, channel
        finally:
            await server.stop()


SEGMENT = llm_pb2.TitleRequest().segments.add()
SEGMENT.text = "hello"
SEGMENT.start.CopyFrom(to_duration(0))
SEGMENT.end.CopyFrom(to_duration(1.5))
REQUEST = llm_pb2.TitleRequest(segments=[SEGMENT])


def info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    found = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(found)
    return found


async def refused(
    channel: grpc.aio.Channel, request=REQUEST, timeout: float | None = 60.0
) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await llm_pb2_grpc.LlmServiceStub(channel).Title(request, timeout=timeout)
    return caught.value


async def test_call_goes_through() -> None:
    async with running(TestService()) as (_, channel):
        answer = await llm_pb2_grpc.LlmServiceStub(channel).Title(REQUEST, timeout=60)
        assert answer.title == "hello"


async def test_domain_error_becomes_status_with_details() -> None:
    service = TestService()
    async with running(service) as (_, channel):
        service.behaviour.error = Overloaded("no slot", retry_after=timedelta(seconds=2))
        error = await refused(channel)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.details() == "no slot"
        assert (info(error).reason, info(error).domain) == ("OVERLOADED", "recordroute")
        assert len(info(error).metadata["trace_id"]) == 32
        retry = error_details_pb2.RetryInfo()
        assert rpc_status.from_call(error).details[1].Unpack(retry)
        assert retry.retry_delay.seconds == 2


async def test_unexpected_error_leaks_nothing() -> None:
    service = TestService()
    async with running(service) as (_, channel):
        service.behaviour.error = KeyError("password=hunter2")
        error = await refused(channel)
        assert error.code() is grpc.StatusCode.INTERNAL
        assert "hunter2" not in str(error)
        assert info(error).reason == "INTERNAL"


async def test_handler_that_cancels_itself_does_not_leave_the_client_hanging() -> None:
    service = TestService()
    async with running(service) as (_, channel):
        service.behaviour.error = asyncio.CancelledError()
        error = await refused(channel)
        assert error.code() is grpc.StatusCode.CANCELLED


async def test_rules_of_the_contract_are_enforced() -> None:
    async with running(TestService()) as (_, channel):
        error = await refused(channel, llm_pb2.TitleRequest(language="English!"))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        bad = error_details_pb2.BadRequest()
        assert rpc_status.from_call(error).details[1].Unpack(bad)
        assert {(violation.field, violation.reason) for violation in bad.field_violations} == {
            ("segments", "REPEATED_MIN_ITEMS"),
            ("language", "STRING_PATTERN"),
        }


async def test_the_first_broken_rule_is_told_in_values() -> None:
    async with running(TestService()) as (_, channel):
        error = await refused(channel, llm_pb2.TitleRequest(segments=[], language="en"))
        values = dict(info(error).metadata)
        del values["trace_id"]
        assert values == {"field": "segments", "rule": "repeated.min_items", "limit": "1"}


async def test_unary_call_needs_a_deadline() -> None:
    async with running(TestService()) as (_, channel):
        error = await refused(channel, timeout=None)
        assert info(error).reason == "DEADLINE_REQUIRED"


async def test_trace_goes_on_with_the_callers() -> None:
    service = TestService()
    async with running(service) as (_, channel):
        service.behaviour.error = ModelMissing("whisper")
        trace = "0af7651916cd43dd8448eb211c80319c"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await llm_pb2_grpc.LlmServiceStub(channel).Title(
                REQUEST, timeout=60, metadata=[("traceparent", f"00-{trace}-b7ad6b7169203331-01")]
            )
        assert info(caught.value).metadata["trace_id"] == trace


async def test_health_follows_the_load_and_a_failed_load_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recordroute_runtime.server.LOAD_RETRY_SECONDS", 0.01)
    service = TestService()
    service.load_error = ModelMissing("whisper")
    async with running(service) as (server, channel):
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service.names[0]), timeout=60)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        service.may_load.set()
        await server.loaded()
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service.names[0]), timeout=60)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert service.closed


async def test_a_load_that_is_given_up_has_ended_when_the_service_is_closed() -> None:
    class Tidying(TestService):
        closing = asyncio.Event()
        was_closed_under_it: bool | None = None

        async def load(self) -> None:
            try:
                await super().load()
            finally:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.closing.wait(), 0.5)
                self.was_closed_under_it = self.closing.is_set()

        async def close(self) -> None:
            self.closing.set()
            await super().close()

    service = Tidying()
    async with running(service) as (_, channel):
        await llm_pb2_grpc.LlmServiceStub(channel).Title(REQUEST, timeout=60)
    assert service.closed
    assert service.was_closed_under_it is False


async def test_second_server_on_a_port_is_refused() -> None:
    async with running(TestService()) as (server, _):
        second = RunningServer(TestService(), ServerSettings(listen=f"127.0.0.1:{server.port}"))
        with pytest.raises(AddressInUse):
            await second.start()


async def test_cancelled_stream_stops_its_thread_and_a_stalled_reader_is_not_run_ahead_of() -> None:
    service = TestService()
    async with running(service) as (_, channel):
        request = llm_pb2.SummarizeRequest(segments=[SEGMENT])
        call = llm_pb2_grpc.LlmServiceStub(channel).Summarize(request)
        assert (await call.read()).delta.chunk == 1
        async with asyncio.timeout(60):
            stalled_at = 0
            while service.behaviour.produced != stalled_at:
                stalled_at = service.behaviour.produced
                await asyncio.sleep(0.3)
        call.cancel()
        assert await asyncio.to_thread(service.behaviour.stopped.wait, 60)


async def test_pool_refuses_when_full_and_holds_its_slot_until_the_work_ends() -> None:
    pool = InferencePool("test", 1)
    begun, release = threading.Event(), threading.Event()

    def work(token: CancelToken) -> bool:
        begun.set()
        release.wait(60)
        return token.cancelled

    running_work = asyncio.create_task(pool.run(work))
    await asyncio.to_thread(begun.wait, 60)
    with pytest.raises(Overloaded):
        await pool.run(work)
    running_work.cancel()
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded):
        await pool.run(work)
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await running_work
    assert await pool.run(lambda token: token.cancelled) is False
    await pool.close()


async def test_calls_of_quiet_methods_are_in_the_log_only_where_they_fail() -> None:
    service = TestService()
    service.may_load.set()
    service.quiet_methods = frozenset({"/recordroute.llm.v1.LlmService/Title"})
    with structlog.testing.capture_logs() as log:
        async with running(service) as (server, channel):
            await server.loaded()
            stub = llm_pb2_grpc.LlmServiceStub(channel)
            await stub.Title(REQUEST, timeout=60)
            service.behaviour.error = ModelMissing("small")
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Title(REQUEST, timeout=60)
    calls = [(entry["log_level"], entry["code"]) for entry in log if entry["event"] == "call"]
    assert calls == [("debug", "OK"), ("info", "FAILED_PRECONDITION")]


async def test_stream_that_is_closed_from_another_task_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def stream() -> AsyncIterator[str]:
        with call_span("method", [("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")]):
            yield current_trace_id()

    going = stream()
    assert await asyncio.create_task(anext(going)) == "a" * 32
    await asyncio.create_task(going.aclose())
    assert current_trace_id() == ""
    assert caplog.records == []


class Leaving:
    """A call whose client leaves while the second message is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, message: bytes) -> None:
        if self.written:
            # What gRPC raises where the write fails before the notice has come that the call is over.
            raise grpc.aio.InternalError('Failed "execute_batch": (SendMessageOperation,)')
        self.written.append(message)


async def test_a_write_to_a_client_that_has_left_ends_the_call_as_its_notice_would() -> None:
    closed_in: list[asyncio.Task[None] | None] = []

    async def numbers(request: bytes, context: Leaving) -> AsyncIterator[bytes]:
        try:
            for number in range(9):
                yield b"%d" % number
        finally:
            closed_in.append(asyncio.current_task())

    handler = writing_handler(grpc.unary_stream_rpc_method_handler(numbers))
    context = Leaving()
    with pytest.raises(asyncio.CancelledError):
        await handler.unary_stream(b"", context)
    assert context.written == [b"0"]
    # At once, and not by the garbage collector in a task of its own.
    assert closed_in == [asyncio.current_task()]


async def test_a_client_that_leaves_is_no_error_and_a_servicer_that_fails_is_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = TestService()
    service.may_load.set()
    request = llm_pb2.SummarizeRequest(segments=[SEGMENT])
    with structlog.testing.capture_logs() as log:
        async with running(service) as (server, channel):
            await server.loaded()
            stub = llm_pb2_grpc.LlmServiceStub(channel)
            leaving = stub.Summarize(request)
            assert (await leaving.read()).delta.chunk == 1
            leaving.cancel()
            assert await asyncio.to_thread(service.behaviour.stopped.wait, 60)
            service.behaviour.error = ValueError("a real error")
            failing = stub.Summarize(request)
            assert (await failing.read()).delta.chunk > 1
            with pytest.raises(grpc.aio.AioRpcError):
                await failing.read()
            assert await failing.code() is grpc.StatusCode.INTERNAL
    told = {(entry["log_level"], entry.get("code")) for entry in log if entry["event"].startswith("call")}
    assert told == {("info", "CANCELLED"), ("error", None), ("info", "INTERNAL")}
    assert [record for record in caplog.records if record.name.startswith("grpc")] == []
