"""Who calls the gateway and what it may do: the real interceptor and IdentityService over a real socket."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.gateway.v1 import (
    identity_pb2,
    identity_pb2_grpc,
    library_pb2,
    library_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
)
from recordroute_gateway import tables
from recordroute_gateway.database import Database, library_url
from recordroute_gateway.identity import audit
from recordroute_gateway.identity.audit import AuditLog
from recordroute_gateway.identity.authenticator import OPERATOR, Authenticator
from recordroute_gateway.identity.caller import Scope, current_caller
from recordroute_gateway.identity.keys import MAX_KEYS, KeyStore
from recordroute_gateway.identity.limits import CallLimits
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.servicers import access
from recordroute_gateway.servicers.access import AccessInterceptor, client_address
from recordroute_gateway.servicers.identity import IdentityServicer
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.bearer import bearer
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import NotFound, QuotaExceeded, Unauthenticated
from recordroute_runtime.remote import RemoteError, read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DataError, OperationalError

TOKEN = "t" * 40
READ, WRITE, ADMIN = (identity_pb2.SCOPE_READ, identity_pb2.SCOPE_WRITE, identity_pb2.SCOPE_ADMIN)
RECORDING = "6b8f6a44-7d5e-4c80-9d8a-0f9d6f0f6f01"
OTHER = "6b8f6a44-7d5e-4c80-9d8a-0f9d6f0f6f02"


class Library(library_pb2_grpc.LibraryServiceServicer):
    """Tells who the caller is in the place of a title; each kind of stream waits for `go`."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = asyncio.Event()

    async def GetRecording(self, request, context):
        await asyncio.sleep(0)
        caller = current_caller()
        return library_pb2.GetRecordingResponse(
            recording=library_pb2.Recording(title=f"{caller.user} {caller.api_key_id}")
        )

    async def DeleteRecording(self, request, context):
        if request.recording_id == OTHER:
            raise NotFound("RECORDING_NOT_FOUND", "there is no recording")
        return library_pb2.DeleteRecordingResponse()

    async def BulkEdit(self, request, context):
        return library_pb2.BulkEditResponse()

    async def Export(self, request, context):
        for _ in range(2):
            yield library_pb2.ExportResponse(chunk=(await self._told()).encode())

    async def ImportLibrary(self, requests, context):
        async for _ in requests:
            yield library_pb2.ImportLibraryResponse(entry=await self._told(), recording_id=RECORDING)

    async def _told(self) -> str:
        self.waiting.set()
        await self.go.wait()
        return await asyncio.create_task(self._user())

    @staticmethod
    async def _user() -> str:
        return current_caller().user


class Uploads(upload_pb2_grpc.UploadServiceServicer):
    async def UploadRecording(self, requests, context):
        async for _ in requests:
            pass
        return upload_pb2.UploadRecordingResponse(
            recording=library_pb2.Recording(id=RECORDING, title=current_caller().user)
        )

    async def UploadChunk(self, request, context):
        return upload_pb2.UploadChunkResponse()


class Search(search_pb2_grpc.SearchServiceServicer):
    async def Search(self, request, context):
        raise RuntimeError("broken")


class Gateway:
    """A service with the gateway's interceptor and small servicers."""

    names = ("recordroute.gateway.v1.IdentityService", "recordroute.gateway.v1.LibraryService")

    def __init__(
        self, database: Database, limits: CallLimits | None = None, *, is_open: bool = False
    ) -> None:
        self.database = database
        self.keys = KeyStore(database)
        self.audit = AuditLog(database)
        self.library = Library()
        self.is_ready = True
        self.interceptors = [
            AccessInterceptor(
                Authenticator(self.keys, token=TOKEN, is_open=is_open),
                limits or CallLimits(rate=0, burst=1, unary_calls=0, streams=0),
                self.audit,
                is_ready=lambda: self.is_ready,
            )
        ]
        self.target = ""
        self._channels: list[grpc.aio.Channel] = []

    def register(self, server: grpc.aio.Server) -> None:
        servicer = IdentityServicer(self.keys, self.audit, StorageQuota(self.database, 1000))
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(servicer, server)
        library_pb2_grpc.add_LibraryServiceServicer_to_server(self.library, server)
        upload_pb2_grpc.add_UploadServiceServicer_to_server(Uploads(), server)
        search_pb2_grpc.add_SearchServiceServicer_to_server(Search(), server)

    async def load(self) -> None:
        """The database is ready."""

    async def close(self) -> None:
        await self.audit.close()
        for channel in self._channels:
            await channel.close()

    def stubs(self, token: str = TOKEN) -> Stubs:
        self._channels.append(open_channel(self.target, token=token))
        return Stubs(self._channels[-1])

    async def key(self, user: str, *scopes: Scope, **values: Any) -> str:
        maker = values.pop("maker", OPERATOR)
        return (
            await self.keys.create(maker, user, str(uuid.uuid4()), "key", scopes, values.get("expires_at"))
        )[1]


class Stubs:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.identity = identity_pb2_grpc.IdentityServiceStub(channel)
        self.library = library_pb2_grpc.LibraryServiceStub(channel)
        self.uploads = upload_pb2_grpc.UploadServiceStub(channel)
        self.search = search_pb2_grpc.SearchServiceStub(channel)

    async def whoami(self) -> identity_pb2.GetCallerResponse:
        return await self.identity.GetCaller(identity_pb2.GetCallerRequest(), timeout=60)

    async def title(self) -> str:
        request = library_pb2.GetRecordingRequest(recording_id=RECORDING)
        return (await self.library.GetRecording(request, timeout=60)).recording.title

    async def create_key(self, *scopes: int, **values: Any) -> identity_pb2.CreateApiKeyResponse:
        request = identity_pb2.CreateApiKeyRequest(
            **{"request_id": str(uuid.uuid4()), "name": "key", "scopes": scopes, **values}
        )
        return await self.identity.CreateApiKey(request, timeout=60)

    async def keys(self, *, all_users: bool = False) -> list[identity_pb2.ApiKey]:
        request = identity_pb2.ListApiKeysRequest(all_users=all_users)
        return list((await self.identity.ListApiKeys(request, timeout=60)).api_keys)

    async def revoke(self, key_id: str) -> None:
        request = identity_pb2.RevokeApiKeyRequest(request_id=str(uuid.uuid4()), api_key_id=key_id)
        await self.identity.RevokeApiKey(request, timeout=60)

    async def audit(self, **values: Any) -> identity_pb2.ListAuditEventsResponse:
        return await self.identity.ListAuditEvents(identity_pb2.ListAuditEventsRequest(**values), timeout=60)

    async def delete(self, recording_id: str) -> None:
        request = library_pb2.DeleteRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording_id)
        await self.library.DeleteRecording(request, timeout=60)


@asynccontextmanager
async def serving(database: Database, *args: Any, **kwargs: Any) -> AsyncIterator[Gateway]:
    gateway = Gateway(database, *args, **kwargs)
    settings = GatewaySettings(listen="127.0.0.1:0", drain_grace_seconds=1)
    server = RunningServer(gateway, settings)
    await server.start()
    await server.loaded()
    gateway.target = f"127.0.0.1:{server.port}"
    try:
        yield gateway
    finally:
        await server.stop()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, new_library: Callable[[Path], str]) -> str:
    """URL of a database of the newest schema: SQLite, but where a test asks for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return new_library(tmp_path)
    url = request.getfixturevalue("new_postgresql_library")()
    return library_url(GatewaySettings(database_url=url), CommonSettings(data_dir=tmp_path))


# What the database itself has a part in.
BOTH_DATABASES = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def gateway(database: Database) -> AsyncIterator[Gateway]:
    async with serving(database) as gateway:
        yield gateway


async def refusal(call: Any) -> RemoteError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return read_error(caught.value)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process's hands
            await asyncio.sleep(0.02)


STRANGERS = (
    ([], "TOKEN_MISSING"),
    (bearer("wrong" * 10), "TOKEN_INVALID"),
    (bearer(TOKEN[:-1]), "TOKEN_INVALID"),
    (bearer("rrk_0123456789abcdef." + "x" * 43), "TOKEN_INVALID"),
    (bearer("rrk_"), "TOKEN_INVALID"),
    ([("authorization", "Basic " + TOKEN)], "TOKEN_INVALID"),
    ([("authorization", TOKEN)], "TOKEN_INVALID"),
    ([("authorization", "Bearer")], "TOKEN_INVALID"),
    ([*bearer(TOKEN), *bearer(TOKEN)], "TOKEN_INVALID"),
)


async def test_strangers_are_refused(gateway: Gateway) -> None:
    stubs = gateway.stubs("")
    for authorization, reason in STRANGERS:
        call = stubs.identity.GetCaller(identity_pb2.GetCallerRequest(), timeout=60, metadata=authorization)
        error = await refusal(call)
        assert (error.code, error.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)
        assert TOKEN not in error.message
        # Before the request is looked at: what is wrong with it is nobody's business.
        bad = stubs.library.GetRecording(
            library_pb2.GetRecordingRequest(recording_id="no id"), timeout=60, metadata=authorization
        )
        assert (await refusal(bad)).reason == reason


async def test_health_is_open(gateway: Gateway) -> None:
    async with open_channel(gateway.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_own_token_is_the_operator(gateway: Gateway) -> None:
    caller = await gateway.stubs().whoami()
    assert (caller.user, caller.is_operator, list(caller.scopes)) == ("local", True, [READ, WRITE, ADMIN])
    assert caller.storage_limit_bytes == 1000


async def test_caller_is_known_in_every_kind_of_rpc_and_its_tasks(gateway: Gateway) -> None:
    secrets = {user: await gateway.key(user, Scope.READ, Scope.WRITE) for user in ("anna", "ben")}
    gateway.library.go.set()

    async def everything(user: str) -> list[str]:
        stubs = gateway.stubs(secrets[user])
        config = upload_pb2.UploadConfig(request_id=str(uuid.uuid4()), file_name="a")
        uploaded = await stubs.uploads.UploadRecording(
            iter([upload_pb2.UploadRecordingRequest(config=config)]), timeout=60
        )
        exported = stubs.library.Export(
            library_pb2.ExportRequest(recording_id=RECORDING, format=1), timeout=60
        )
        imported = stubs.library.ImportLibrary(
            iter([library_pb2.ImportLibraryRequest(chunk=b"x")] * 2), timeout=60
        )
        return [
            (await stubs.title()).split()[0],
            uploaded.recording.title,
            *[part.chunk.decode() async for part in exported],
            *[part.entry async for part in imported],
        ]

    told = await asyncio.gather(*(everything(user) for user in ("anna", "ben") * 5))
    assert told == [["anna"] * 6, ["ben"] * 6] * 5


async def test_scopes_bound_what_a_key_does(gateway: Gateway) -> None:
    reader = gateway.stubs(await gateway.key("anna", Scope.READ))
    assert (await reader.title()).startswith("anna rrk_")
    error = await refusal(reader.delete(RECORDING))
    assert (error.code, error.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    writer = gateway.stubs(await gateway.key("anna", Scope.WRITE))
    await writer.delete(RECORDING)
    assert (await refusal(writer.title())).reason == "SCOPE_MISSING"
    assert list((await writer.whoami()).scopes) == [WRITE]
    assert (await refusal(reader.audit(all_users=True))).reason == "SCOPE_MISSING"


async def test_open_system_needs_no_token(database: Database) -> None:
    async with serving(database, is_open=True) as gateway:
        assert (await gateway.stubs("").whoami()).is_operator


async def test_nobody_is_served_before_the_database_is_ready(gateway: Gateway) -> None:
    gateway.is_ready = False
    error = await refusal(gateway.stubs().whoami())
    assert (error.code, error.can_retry) == (grpc.StatusCode.UNAVAILABLE, True)


@BOTH_DATABASES
async def test_key_is_told_once_and_kept_hashed(gateway: Gateway, database: Database) -> None:
    operator = gateway.stubs()
    made = await operator.create_key(READ, WRITE, name="script", user="김민지")
    assert made.secret.startswith(made.api_key.id + ".")
    assert len(made.secret) > 60
    stubs = gateway.stubs(made.secret)
    assert await stubs.title() == f"김민지 {made.api_key.id}"
    (listed,) = await stubs.keys()
    assert (listed.name, listed.user, list(listed.scopes)) == ("script", "김민지", [READ, WRITE])
    # Noted by the call before; to the minute.
    assert listed.last_used_at.seconds % 60 == 0
    assert abs(listed.last_used_at.seconds - datetime.now(UTC).timestamp()) < 120
    async with database.read() as connection:
        row = (await connection.execute(text("SELECT * FROM api_keys"))).mappings().one()
    assert made.secret.partition(".")[2] not in str(row)


@BOTH_DATABASES
async def test_keys_of_others(gateway: Gateway) -> None:
    operator = gateway.stubs()
    anna = gateway.stubs((await operator.create_key(READ, WRITE, user="anna")).secret)
    ben = await operator.create_key(READ, user="ben")
    assert (await refusal(anna.create_key(READ, user="ben"))).reason == "NOT_OPERATOR"
    assert (await refusal(anna.create_key(ADMIN))).reason == "SCOPE_MISSING"
    assert (await refusal(anna.keys(all_users=True))).reason == "NOT_OPERATOR"
    assert (await refusal(anna.revoke(ben.api_key.id))).reason == "API_KEY_NOT_FOUND"
    assert {key.user for key in await anna.keys()} == {"anna"}
    assert await operator.keys() == []
    assert {key.user for key in await operator.keys(all_users=True)} == {"anna", "ben"}
    assert await gateway.stubs(ben.secret).title()
    await operator.revoke(ben.api_key.id)
    assert (await refusal(gateway.stubs(ben.secret).title())).reason == "TOKEN_REVOKED"


@BOTH_DATABASES
async def test_key_ends_with_the_key_that_made_it(gateway: Gateway) -> None:
    soon = Timestamp()
    soon.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    operator = gateway.stubs()
    first = await operator.create_key(READ, WRITE, user="anna", expires_at=soon)
    second = await gateway.stubs(first.secret).create_key(READ, WRITE)
    third = await gateway.stubs(second.secret).create_key(READ)
    assert third.api_key.expires_at == first.api_key.expires_at
    assert await gateway.stubs(third.secret).title()
    await operator.revoke(first.api_key.id)
    await operator.revoke(first.api_key.id)
    for made in (first, second, third):
        assert (await refusal(gateway.stubs(made.secret).title())).reason == "TOKEN_REVOKED"


@BOTH_DATABASES
async def test_expired_key(gateway: Gateway, database: Database) -> None:
    secret = await gateway.key("anna", Scope.READ)
    async with database.write() as connection:
        await connection.execute(
            update(tables.api_keys).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    assert (await refusal(gateway.stubs(secret).title())).reason == "TOKEN_EXPIRED"


@BOTH_DATABASES
async def test_same_request_makes_no_second_key(gateway: Gateway) -> None:
    stubs, request_id = gateway.stubs(), str(uuid.uuid4())
    await stubs.create_key(READ, request_id=request_id)
    error = await refusal(stubs.create_key(READ, request_id=request_id))
    assert (error.code, error.reason) == (grpc.StatusCode.ALREADY_EXISTS, "API_KEY_EXISTS")
    assert len(await stubs.keys()) == 1


@BOTH_DATABASES
async def test_number_of_keys_is_bounded(gateway: Gateway) -> None:
    for _ in range(MAX_KEYS):
        await gateway.key("anna", Scope.READ)
    with pytest.raises(QuotaExceeded) as caught:
        await gateway.key("anna", Scope.READ)
    assert caught.value.reason == "TOO_MANY_KEYS"
    await gateway.key("ben", Scope.READ)
    await gateway.keys.revoke("anna", (await gateway.keys.list("anna"))[0].id)
    await gateway.key("anna", Scope.READ)


async def test_revocation_reaches_other_replicas_and_running_streams(
    gateway: Gateway, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.1)
    secret = await gateway.key("anna", Scope.READ)
    stubs = gateway.stubs(secret)
    assert await stubs.title()
    stream = stubs.library.Export(library_pb2.ExportRequest(recording_id=RECORDING, format=1))
    reading = asyncio.create_task(anext(aiter(stream)))
    async with asyncio.timeout(60):
        await gateway.library.waiting.wait()
    # As another replica does it: this one hears nothing.
    await KeyStore(database).revoke("anna", secret.partition(".")[0])

    async def refused() -> bool:
        try:
            await stubs.title()
        except grpc.aio.AioRpcError as error:
            return read_error(error).reason == "TOKEN_REVOKED"
        return False

    await until(refused)
    async with asyncio.timeout(60):
        assert (await refusal(reading)).reason == "TOKEN_REVOKED"


async def test_who_looked_before_a_revocation_does_not_keep_what_it_saw(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, read = KeyStore(database), database.read
    key, secret = await keys.create(OPERATOR, "anna", str(uuid.uuid4()), "key", [Scope.READ], None)
    looked, go = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def lingering() -> AsyncIterator[Any]:
        async with read() as connection:
            yield connection
        looked.set()
        await go.wait()

    with monkeypatch.context() as patch:
        patch.setattr(database, "read", lingering)
        asking = asyncio.create_task(keys.authenticate(secret))
        await asyncio.wait_for(looked.wait(), 60)
    await keys.revoke("anna", key.id)
    go.set()
    assert (await asking).user == "anna"
    with pytest.raises(Unauthenticated):
        await keys.authenticate(secret)


@BOTH_DATABASES
async def test_every_action_is_in_the_log_before_it_is_answered(gateway: Gateway) -> None:
    anna = gateway.stubs(await gateway.key("anna", Scope.READ, Scope.WRITE))
    await anna.delete(RECORDING)
    (event,) = (await anna.audit()).events
    assert (event.action, event.outcome, event.user) == ("LibraryService/DeleteRecording", "OK", "anna")
    assert (event.recording_id, event.peer) == (RECORDING, "127.0.0.1")
    assert event.api_key_id == (await anna.whoami()).api_key_id
    assert (await refusal(anna.delete(OTHER))).reason == "RECORDING_NOT_FOUND"
    await anna.title()
    gateway.library.go.set()
    async for _ in anna.library.Export(library_pb2.ExportRequest(recording_id=RECORDING, format=1)):
        pass
    request = library_pb2.BulkEditRequest(
        request_id=str(uuid.uuid4()), recording_ids=[RECORDING, OTHER], delete=library_pb2.BulkDelete()
    )
    await anna.library.BulkEdit(request, timeout=60)
    config = upload_pb2.UploadConfig(request_id=str(uuid.uuid4()), file_name="a")
    await anna.uploads.UploadRecording(iter([upload_pb2.UploadRecordingRequest(config=config)]), timeout=60)

    async def complete() -> bool:
        return len((await anna.audit()).events) == 6

    # What fails is not waited for.
    await until(complete)
    told = [
        (event.action.rpartition("/")[2], event.recording_id, event.outcome)
        for event in (await anna.audit()).events
    ]
    assert told == [
        ("UploadRecording", RECORDING, "OK"),
        ("BulkEdit", OTHER, "OK"),
        ("BulkEdit", RECORDING, "OK"),
        ("Export", RECORDING, "OK"),
        ("DeleteRecording", OTHER, "RECORDING_NOT_FOUND"),
        ("DeleteRecording", RECORDING, "OK"),
    ]
    page = await anna.audit(page_size=4)
    rest = await anna.audit(page_size=4, page_token=page.next_page_token)
    assert [*page.events, *rest.events] == list((await anna.audit()).events)
    assert not rest.next_page_token
    assert {event.recording_id for event in (await anna.audit(recording_id=OTHER)).events} == {OTHER}
    for token in ("?", "YQ==", "YTEyMw", "YTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):
        assert (await refusal(anna.audit(page_token=token))).reason == "PAGE_TOKEN"


@BOTH_DATABASES
async def test_owner_sees_what_others_did_to_its_recording(gateway: Gateway, database: Database) -> None:
    async with database.write() as connection:
        now = datetime.now(UTC)
        await connection.execute(
            insert(tables.recordings).values(
                id=RECORDING, owner="anna", request_id=str(uuid.uuid4()), title="t", file_name="f", language="",
                created_at=now, recorded_at=now,
            )
        )  # fmt: skip
    anna, ben, carl = [gateway.stubs(await gateway.key(user, *Scope)) for user in ("anna", "ben", "carl")]
    await ben.delete(RECORDING)
    assert [event.user for event in (await anna.audit()).events] == ["ben"]
    assert [event.user for event in (await ben.audit()).events] == ["ben"]
    assert list((await carl.audit()).events) == []
    assert [event.user for event in (await carl.audit(all_users=True)).events] == ["ben"]


async def test_malformed_requests_strangers_and_pieces_do_not_fill_the_log(gateway: Gateway) -> None:
    stubs = gateway.stubs()
    assert (await refusal(stubs.delete("no id"))).reason == "INVALID_FIELDS"
    assert (await refusal(gateway.stubs("").delete(RECORDING))).reason == "TOKEN_MISSING"
    chunk = upload_pb2.UploadChunkRequest(upload_id=RECORDING, data=b"x")
    await stubs.uploads.UploadChunk(chunk, timeout=60)
    assert list((await stubs.audit(all_users=True)).events) == []


@BOTH_DATABASES
async def test_log_can_only_grow(gateway: Gateway, database: Database) -> None:
    await gateway.stubs().delete(RECORDING)
    for statement in (
        update(tables.audit_events).values(outcome="changed"),
        delete(tables.audit_events),
        *([] if database.is_local else [text("TRUNCATE audit_events")]),
    ):
        with pytest.raises(Exception, match="append-only"):
            async with database.write() as connection:
                await connection.execute(statement)
    assert [event.outcome for event in (await gateway.stubs().audit()).events] == ["OK"]


@BOTH_DATABASES
async def test_many_calls_share_a_write(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    write, sizes = gateway.audit._write, []

    async def counted(events: Any) -> None:
        sizes.append(len(events))

        async def all_wait() -> bool:
            return gateway.audit._waiting.qsize() + sum(sizes) == 200

        # As long as a write takes, the others come.
        await until(all_wait)
        await write(events)

    monkeypatch.setattr(gateway.audit, "_write", counted)
    stubs = gateway.stubs()
    await asyncio.gather(*(stubs.delete(RECORDING) for _ in range(200)))
    assert len((await stubs.audit(page_size=1000)).events) == 200
    assert sum(sizes) == 200
    assert len(sizes) <= 2


async def test_log_waits_for_a_database_that_is_away(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "RETRY_SECONDS", 0.05)
    write, tries = gateway.audit._write, 0

    async def away(events: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("insert", {}, OSError("away"))
        await write(events)

    monkeypatch.setattr(gateway.audit, "_write", away)
    await gateway.stubs().delete(RECORDING)
    assert tries == 3
    assert len((await gateway.stubs().audit()).events) == 1


async def test_what_can_not_be_logged_does_not_count_as_done_and_blocks_nobody(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = gateway.audit._write

    async def refuses(events: Any) -> None:
        if any(event.recording_id == RECORDING for event in events):
            raise DataError("insert", {}, ValueError("too long"))
        await write(events)

    monkeypatch.setattr(gateway.audit, "_write", refuses)
    stubs = gateway.stubs()
    assert (await refusal(stubs.delete(RECORDING))).reason == "INTERNAL"
    await stubs.library.BulkEdit(
        library_pb2.BulkEditRequest(
            request_id=str(uuid.uuid4()), recording_ids=[OTHER], delete=library_pb2.BulkDelete()
        ),
        timeout=60,
    )
    assert [event.recording_id for event in (await stubs.audit()).events] == [OTHER]


async def test_rate_is_bounded_by_user(database: Database) -> None:
    now = 0.0
    limits = CallLimits(rate=2, burst=5, unary_calls=0, streams=0, clock=lambda: now)
    async with serving(database, limits) as gateway:
        anna = gateway.stubs(await gateway.key("anna", Scope.READ, Scope.WRITE))
        answers = await asyncio.gather(*(anna.title() for _ in range(60)), return_exceptions=True)
        refused = [read_error(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(answers) - len(refused) == 5
        error = refused[-1]
        assert (error.code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert error.retry_after == timedelta(seconds=0.5)
        # Others have their own; the chunks of an upload are bounded by their size.
        await gateway.stubs().title()
        await anna.uploads.UploadChunk(
            upload_pb2.UploadChunkRequest(upload_id=RECORDING, data=b"x"), timeout=60
        )
        now += error.retry_after.total_seconds()
        await anna.title()
        assert (await refusal(anna.title())).reason == "RATE_LIMITED"


async def test_streams_at_once_are_bounded_by_user(database: Database) -> None:
    limits = CallLimits(rate=0, burst=1, unary_calls=0, streams=2)
    async with serving(database, limits) as gateway:
        anna, ben = [gateway.stubs(await gateway.key(user, Scope.READ)) for user in ("anna", "ben")]
        request = library_pb2.ExportRequest(recording_id=RECORDING, format=1)
        streams = [anna.library.Export(request) for _ in range(2)]
        waiting = [asyncio.create_task(anext(aiter(stream))) for stream in streams]

        async def running(count: int) -> bool:
            return sum(limits._running.values()) == count

        await until(lambda: running(2))
        error = await refusal(anext(aiter(anna.library.Export(request))))
        assert error.reason == "TOO_MANY_STREAMS"
        assert error.retry_after is not None
        await anna.title()
        gateway.library.go.set()
        await anext(aiter(ben.library.Export(request)))
        await asyncio.gather(*waiting)
        for stream in streams:
            stream.cancel()
        await until(lambda: running(0))


def test_bucket_fills_again_and_full_ones_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recordroute_gateway.identity.limits.MAX_BUCKETS", 2)
    now = 0.0
    limits = CallLimits(rate=10, burst=2, unary_calls=0, streams=0, clock=lambda: now)
    for user in ("a", "b", "c"):
        limits.take(user)
    now = 1.0
    limits.take("d")
    assert set(limits._buckets) == {"d"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("ipv4:10.1.2.3:5000", "", 0, "10.1.2.3"),
        ("ipv6:%5B2001:db8::1%5D:5000", "", 0, "2001:db8::1"),
        ("ipv4:10.1.2.3:5000", "6.6.6.6", 0, "10.1.2.3"),
        ("ipv4:10.1.2.3:5000", "6.6.6.6, 192.0.2.7", 1, "192.0.2.7"),
        ("unix:", "127.0.0.1", 0, "127.0.0.1"),
        ("unix:", "6.6.6.6, 192.0.2.7, 10.0.0.9", 1, "192.0.2.7"),
        ("unix:", "", 0, ""),
        ("unix:", "<script>", 0, ""),
    ],
)
def test_addresses_that_others_made_up_do_not_count(
    peer: str, forwarded: str, proxies: int, address: str
) -> None:
    assert client_address(peer, forwarded, proxies) == address


async def test_broken_servicer_is_told_and_no_caller_is_none(gateway: Gateway) -> None:
    error = await refusal(gateway.stubs().search.Search(search_pb2.SearchRequest(query="x"), timeout=60))
    assert error.reason == "INTERNAL"


@BOTH_DATABASES
async def test_quota_counts_the_files_of_ones_own_recordings(database: Database) -> None:
    now = datetime.now(UTC)
    async with database.write() as connection:
        for recording, owner in ((RECORDING, "anna"), (OTHER, "ben")):
            await connection.execute(
                insert(tables.recordings).values(
                    id=recording, owner=owner, request_id=str(uuid.uuid4()), title="t", file_name="f", language="",
                    created_at=now, recorded_at=now,
                )
            )  # fmt: skip
            for kind, size in (("media", 600), ("transcript", 300)):
                await connection.execute(
                    insert(tables.artifacts).values(
                        recording_id=recording, kind=kind, sha256="0" * 64, size_bytes=size, model="",
                        workflow_id="", created_at=now,
                    )
                )  # fmt: skip
    quota = StorageQuota(database, 1000)
    assert [await quota.used_bytes(user) for user in ("anna", "carl")] == [900, 0]
    await quota.check("anna", 100)
    with pytest.raises(QuotaExceeded) as caught:
        await quota.check("anna", 101)
    assert caught.value.metadata == {"used_bytes": "900", "limit_bytes": "1000"}
    await quota.check("carl", 1000)
    await StorageQuota(database, 0).check("anna", 10**15)
