"""Sends the requests of webhooks, signed as https://www.standardwebhooks.com says, until they are taken."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from recordroute_runtime.errors import InvalidInput
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook as Signer

from recordroute_gateway.webhooks.failures import failure_of_error, failure_of_status
from recordroute_gateway.webhooks.records import Delivery
from recordroute_gateway.webhooks.store import WebhookStore

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10.0
AT_ONCE = 8
# The waits of the specification's example: the last try comes about three days after the first.
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
# Other replicas' requests are noticed by looking.
POLL_SECONDS = 5.0


def check_url(url: str) -> None:
    """Raises InvalidInput (BAD_URL) where requests can't be sent to a URL."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidInput("BAD_URL", f"the URL can't be read: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidInput("BAD_URL", "the URL has to begin with http:// or https:// and name a host")
    if parsed.userinfo:
        raise InvalidInput("BAD_URL", "the URL must not hold a user name or password")


class WebhookSender:
    """Sends what waits, as long as it runs.

    Where `private_addresses` are not allowed, a URL whose host is not on the public internet gets nothing: users could
    reach the operator's own services otherwise. The address that was checked is the one that is connected to.
    """

    def __init__(self, store: WebhookStore, *, private_addresses: bool) -> None:
        self._store = store
        self._private_addresses = private_addresses
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Says that something waits."""
        self._news.set()

    async def close(self) -> None:
        """Stops; what waits is sent by the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                deliveries = await self._store.claim_due(AT_ONCE)
                await asyncio.gather(*(self._send(delivery) for delivery in deliveries))
            except SQLAlchemyError as error:
                log.warning("webhooks have to wait for the database", error=str(error))
                deliveries = []
            if len(deliveries) < AT_ONCE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), POLL_SECONDS)

    async def _send(self, delivery: Delivery) -> None:
        status = 0
        try:
            status = await self._post(delivery)
            failure = failure_of_status(status)
        except (httpx.HTTPError, OSError, InvalidInput) as error:
            failure = failure_of_error(error)
            log.info("webhook gets no answer", webhook=delivery.webhook.id, error=str(error) or repr(error))
        retry_after = WAITS[delivery.attempts] if delivery.attempts < len(WAITS) else None
        if failure is not None:
            log.info(
                "webhook", webhook=delivery.webhook.id, reason=failure.reason, given_up=retry_after is None
            )
        await self._store.settle(delivery, status=status, failure=failure, retry_after=retry_after)

    async def _post(self, delivery: Delivery) -> int:
        url = httpx.URL(delivery.webhook.url)
        address = await self._address(url)
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "RecordRoute",
            "host": url.netloc.decode("ascii"),
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(delivery.webhook.secret).sign(delivery.id, now, delivery.body),
        }
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            content=delivery.body.encode(),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        response = await self._client.send(request, stream=True)
        # Nothing that it says matters, however long.
        await response.aclose()
        return response.status_code

    async def _address(self, url: httpx.URL) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, url.port or (443 if url.scheme == "https" else 80), type=socket.SOCK_STREAM
        )
        addresses = [str(info[4][0]) for info in found]
        for address in addresses:
            if self._private_addresses or ipaddress.ip_address(address.partition("%")[0]).is_global:
                return address
        raise InvalidInput(
            "WEBHOOK_ADDRESS_PRIVATE",
            f"{url.host} is not on the public internet, and nothing else is allowed",
        )
