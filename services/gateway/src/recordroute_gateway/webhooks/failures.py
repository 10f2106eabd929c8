"""Why the request of a webhook was not taken: stable reasons for what an HTTP client can run into."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx
from recordroute_runtime.errors import DomainError

from recordroute_gateway.workflow.records import Failure


def failure_of_status(status: int) -> Failure | None:
    """Returns why an answer means that the request was not taken; None where it was."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Failure(
            "WEBHOOK_REDIRECTED",
            f"the receiver answered with HTTP status {status}, which sends the request elsewhere; it is not followed",
        )
    return Failure("WEBHOOK_REFUSED", f"the receiver answered with HTTP status {status}")


def failure_of_error(error: Exception) -> Failure:
    """Returns why no answer came."""
    if isinstance(error, DomainError):
        return Failure.of(error)
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Failure("WEBHOOK_HOST_UNKNOWN", "no address is known for the host's name")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Failure(
            "WEBHOOK_TLS_FAILED", "the receiver's certificate is not trusted, or TLS failed otherwise"
        )
    if isinstance(error, httpx.TimeoutException):
        return Failure("WEBHOOK_TIMED_OUT", "the receiver took too long to answer")
    if isinstance(error, httpx.ConnectError):
        return Failure("WEBHOOK_UNREACHABLE", "the receiver can't be connected to")
    return Failure(
        "WEBHOOK_BROKE_OFF", "the connection to the receiver broke off before its answer was there"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
