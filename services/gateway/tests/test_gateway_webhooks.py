"""Webhooks: signed requests to a real HTTP server, tried again until they are taken."""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme
from recordroute_gateway.database import Database
from recordroute_gateway.tables import recordings, webhook_deliveries
from recordroute_gateway.webhooks import sender as sender_module
from recordroute_gateway.webhooks.failures import failure_of_error
from recordroute_gateway.webhooks.records import Webhook, WebhookEvent
from recordroute_gateway.webhooks.sender import WAITS, WebhookSender, check_url
from recordroute_gateway.webhooks.store import WEBHOOKS_AT_MOST, WebhookStore
from recordroute_gateway.workflow.records import Failure, Options, State
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_runtime.errors import Conflict, InvalidInput, QuotaExceeded
from sqlalchemy import func, insert, select, update
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

RECORDING = str(uuid.uuid4())
BOTH = (WebhookEvent.WORKFLOW_SUCCEEDED, WebhookEvent.WORKFLOW_FAILED)


@dataclass
class Receiver:
    """An HTTP server that answers with the statuses in `answers`, then with 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: asyncio.Queue[tuple[dict[str, str], str]] = field(default_factory=asyncio.Queue)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.splitlines()[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        status = self.answers.pop(0) if self.answers else 204
        location = "location: http://127.0.0.1:9/\r\n" if status == 302 else ""
        writer.write(
            f"HTTP/1.1 {status} X\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()
        await self.requests.put((headers, body))

    async def next(self) -> tuple[dict[str, str], str]:
        return await asyncio.wait_for(self.requests.get(), 60)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b"
    async with server:
        yield receiver


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    now = datetime.now(UTC)
    async with database.write() as connection:
        await connection.execute(
            insert(recordings).values(
                id=RECORDING,
                owner="local",
                request_id="r",
                title="t",
                file_name="f",
                created_at=now,
                recorded_at=now,
            )
        )
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> WebhookStore:
    return WebhookStore(database)


@pytest.fixture
async def workflows(database: Database, store: WebhookStore) -> AsyncIterator[WorkflowStore]:
    """Workflows whose webhooks are being sent."""
    workflows = WorkflowStore(database)
    sender = WebhookSender(store, private_addresses=True)
    workflows.on_webhook_event = sender.wake
    sender.start()
    yield workflows
    await sender.close()


async def end_workflow(workflows: WorkflowStore, failure: Failure | None = None) -> str:
    workflow = await workflows.create("local", RECORDING, str(uuid.uuid4()), Options())
    state = State.FAILED if failure else State.SUCCEEDED
    assert await workflows.record(workflow.id, None, state, failure=failure)
    return workflow.id


async def add(store: WebhookStore, url: str, *events: WebhookEvent, owner: str = "local") -> Webhook:
    return await store.create(owner, str(uuid.uuid4()), url, events or BOTH)


async def pending(database: Database) -> int:
    async with database.read() as connection:
        query = select(func.count()).select_from(webhook_deliveries)
        return int((await connection.execute(query)).scalar_one())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - only the database knows
            await asyncio.sleep(0.02)


async def until_sent(database: Database) -> None:
    async def is_sent() -> bool:
        return await pending(database) == 0

    await until(is_sent)


async def make_due(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(update(webhook_deliveries).values(not_before=datetime.now(UTC)))


async def test_events_are_told_and_signed(
    database: Database, store: WebhookStore, workflows: WorkflowStore, receiver: Receiver
) -> None:
    webhook = await add(store, receiver.url)
    other = await add(store, receiver.url, owner="somebody else")
    done = await end_workflow(workflows)
    headers, body = await receiver.next()
    told = Verifier(webhook.secret).verify(body, headers)
    assert told["type"] == "workflow.succeeded"
    assert told["data"] == {"workflow_id": done, "recording_id": RECORDING, "batch_id": "", "error": None}
    with pytest.raises(WebhookVerificationError):
        Verifier(other.secret).verify(body, headers)
    await end_workflow(workflows, Failure("MEDIA_WITHOUT_AUDIO", "there is no sound"))
    headers, body = await receiver.next()
    told = Verifier(webhook.secret).verify(body, headers)
    assert told["type"] == "workflow.failed"
    assert told["data"]["error"] == {"reason": "MEDIA_WITHOUT_AUDIO", "message": "there is no sound"}
    await until_sent(database)
    assert receiver.requests.empty()
    (known,) = await store.all_of("local")
    assert (known.last_status, known.last_error, known.last_reason) == (204, "", "")
    assert known.pending_count == 0


async def test_only_what_was_asked_for_is_told(
    database: Database, store: WebhookStore, workflows: WorkflowStore, receiver: Receiver
) -> None:
    await add(store, receiver.url, WebhookEvent.WORKFLOW_FAILED)
    await end_workflow(workflows)
    assert await pending(database) == 0
    await end_workflow(workflows, Failure("X", "x"))
    _, body = await receiver.next()
    assert json.loads(body)["type"] == "workflow.failed"


async def test_a_request_is_tried_again_with_the_same_id(
    database: Database,
    store: WebhookStore,
    workflows: WorkflowStore,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not before it is made due below, however long that takes.
    monkeypatch.setattr(sender_module, "WAITS", (timedelta(days=1),) * 2)
    receiver.answers = [500, 302]
    webhook = await add(store, receiver.url)
    await end_workflow(workflows)
    ids = []
    for status in (500, 302):
        headers, _ = await receiver.next()
        ids.append(headers["webhook-id"])

        async def is_settled(status: int = status) -> bool:
            return (await store.all_of("local"))[0].last_status == status

        await until(is_settled)
        (known,) = await store.all_of("local")
        assert f"the receiver answered with HTTP status {status}" in known.last_error
        assert known.last_reason == {500: "WEBHOOK_REFUSED", 302: "WEBHOOK_REDIRECTED"}[status]
        assert known.pending_count == 1
        await make_due(database)
        workflows.on_webhook_event()
    headers, body = await receiver.next()
    ids.append(headers["webhook-id"])
    assert len(set(ids)) == 1
    Verifier(webhook.secret).verify(body, headers)
    await until_sent(database)


async def test_nobody_there_is_waited_for_and_then_given_up(
    database: Database, store: WebhookStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "WAITS", (timedelta(0), timedelta(0)))
    monkeypatch.setattr(sender_module, "POLL_SECONDS", 0.02)
    await add(store, "http://127.0.0.1:9/")
    await end_workflow(WorkflowStore(database))
    sender = WebhookSender(store, private_addresses=True)
    sender.start()
    await until_sent(database)
    await sender.close()
    (known,) = await store.all_of("local")
    assert (known.last_status, known.last_reason) == (0, "WEBHOOK_UNREACHABLE")
    assert known.last_error == "the receiver can't be connected to"
    assert len(WAITS) == 9


async def no_answer(url: str) -> Failure:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        with pytest.raises((httpx.HTTPError, OSError)) as caught:
            await client.post(url)
    return failure_of_error(caught.value)


async def test_it_is_told_why_no_answer_came() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    unknown = await no_answer("http://nobody.invalid/")
    assert unknown.reason == "WEBHOOK_HOST_UNKNOWN"
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await no_answer(f"http://{address}/")).reason == "WEBHOOK_BROKE_OFF"
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=tls)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await no_answer(f"https://{address}/")).reason == "WEBHOOK_TLS_FAILED"
    assert failure_of_error(httpx.ReadTimeout("")).reason == "WEBHOOK_TIMED_OUT"


async def test_private_addresses_get_nothing(
    database: Database, store: WebhookStore, receiver: Receiver
) -> None:
    await add(store, receiver.url)
    await end_workflow(WorkflowStore(database))
    sender = WebhookSender(store, private_addresses=False)
    sender.start()

    async def is_refused() -> bool:
        return bool((await store.all_of("local"))[0].last_error)

    await until(is_refused)
    await sender.close()
    (known,) = await store.all_of("local")
    assert known.last_reason == "WEBHOOK_ADDRESS_PRIVATE"
    assert "public internet" in known.last_error
    assert receiver.requests.empty()


async def test_what_is_being_sent_is_nobody_elses(store: WebhookStore, database: Database) -> None:
    await add(store, "http://127.0.0.1:9/")
    for _ in range(3):
        await end_workflow(WorkflowStore(database))
    first, second = await asyncio.gather(store.claim_due(8), store.claim_due(8))
    assert len(first) + len(second) == 3
    assert not {delivery.id for delivery in first} & {delivery.id for delivery in second}


async def test_webhooks_are_their_owners(store: WebhookStore) -> None:
    request = str(uuid.uuid4())
    webhook = await store.create("local", request, "https://example.org/", BOTH)
    with pytest.raises(Conflict):
        await store.create("local", request, "https://example.org/", BOTH)
    await store.delete("somebody else", webhook.id)
    assert [known.id for known in await store.all_of("local")] == [webhook.id]
    assert await store.all_of("somebody else") == []
    for _ in range(WEBHOOKS_AT_MOST - 1):
        await add(store, "https://example.org/")
    with pytest.raises(QuotaExceeded):
        await add(store, "https://example.org/")
    for known in await store.all_of("local"):
        await store.delete("local", known.id)
        await store.delete("local", known.id)
    assert await store.all_of("local") == []


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "http://", "http://user:secret@example.org/", "x"]
)
def test_bad_urls(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url)
