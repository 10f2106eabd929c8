"""Downloads files over HTTP: resumes, retries, checks."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path

import certifi
import httpx
import stamina

from recordroute_models.digest import OnBytes, file_sha256, ignore_bytes
from recordroute_models.errors import CorruptFile, FetchError, SourceUnreachable

CONNECT_TIMEOUT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 60.0
PASSING_STATUSES = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


class _PassingError(FetchError):
    """A failure that may be over at the next try, after `wait_seconds` if the server said so."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class Downloader:
    """Fetches files with one HTTP client. Close it, or use it as a context manager.

    `reached` are the servers that have answered, to which it adds. One of these that takes no more connections is tried
    again; one that never answered is not: a machine without a network is told so at once.
    """

    def __init__(
        self, *, stall_timeout_seconds: float, attempts: int, reached: set[str] | None = None
    ) -> None:
        self._attempts = attempts
        self._reached = set() if reached is None else reached
        self._client = httpx.Client(
            event_hooks={"response": [lambda response: self._reached.add(_server(response.request.url))]},
            verify=_ssl_context(),
            timeout=httpx.Timeout(stall_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            follow_redirects=True,
            headers={
                "User-Agent": f"recordroute-models/{version('recordroute-models')}",
                # Sizes and ranges are those of the file itself, not of a compressed transfer.
                "Accept-Encoding": "identity",
            },
        )

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._client.close()

    def get(self, url: str, headers: dict[str, str]) -> httpx.Response:
        """Returns a small document. Raises FetchError."""
        for attempt in self._tries():
            with attempt, self._readable_errors():
                response = self._client.get(url, headers=headers)
                response.raise_for_status()
        return response

    def fetch(
        self,
        url: str,
        target: Path,
        *,
        size: int,
        sha256: str,
        headers: dict[str, str] | None = None,
        on_bytes: OnBytes = ignore_bytes,
        on_whole: Callable[[], None] = lambda: None,
    ) -> None:
        """Downloads to `target`, and goes on with what is there of it. `on_whole` is called when all bytes are there
        and their hash is about to be compared.

        A file with another hash is thrown away and fetched once more. Raises CorruptFile and other FetchErrors;
        OSError where the disk fails.
        """
        for _ in range(2):
            self._complete(url, target, size, headers or {}, on_bytes)
            on_whole()
            if file_sha256(target) == sha256:
                return
            discard(target)
        raise CorruptFile(f"{_name(url)} arrived corrupt twice")

    def _complete(
        self, url: str, target: Path, size: int, headers: dict[str, str], on_bytes: OnBytes
    ) -> None:
        while True:
            start = _size(target)
            try:
                for attempt in self._tries():
                    with attempt, self._readable_errors():
                        self._attempt(url, target, size, headers, on_bytes)
                return
            except _PassingError:
                # A link that is cut again and again but moves on in between is slow, not broken.
                if _size(target) <= start:
                    raise

    def _attempt(self, url: str, target: Path, size: int, headers: dict[str, str], on_bytes: OnBytes) -> None:
        have = _size(target)
        on_bytes(have)
        if have == size:
            return
        if have > size:
            discard(target)
            have = 0
        with self._client.stream("GET", url, headers={**headers, **_range(target, have)}) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                discard(target)
                raise _PassingError(f"{_name(url)} can't be resumed")
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                discard(target)
                have = 0
            elif not _goes_on(target, response, have):
                discard(target)
                raise _PassingError(f"{_name(url)} changed on the way")
            _remember_version(target, response)
            with target.open("ab") as file:
                for chunk in response.iter_raw():
                    file.write(chunk)
                    have += len(chunk)
                    if have > size:
                        break
                    on_bytes(have)
        if have > size:
            discard(target)
            raise CorruptFile(f"{_name(url)} is larger than it should be")
        if have < size:
            raise _PassingError(f"{_name(url)} ended after {have} of {size} bytes")

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        """Turns the client's errors into sentences without addresses, which can hold passwords."""
        try:
            yield
        except httpx.HTTPStatusError as error:
            response, url = error.response, error.request.url
            message = (
                f"{url.host} answers {response.status_code} {response.reason_phrase} for {_name(str(url))}"
            )
            if response.status_code in PASSING_STATUSES or response.is_server_error:
                raise _PassingError(message, _retry_after(response.headers.get("Retry-After", ""))) from error
            raise FetchError(message) from error
        except httpx.UnsupportedProtocol as error:
            raise FetchError(
                f"the address of {_name(str(error.request.url))} is not http or https"
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            url = error.request.url
            why, lasting = _no_connection(error)
            proxy = _proxy_of(url)
            message = f"no connection to {url.host}{f' by the proxy {proxy}' if proxy else ''}: {why}"
            if lasting and _server(url) not in self._reached:
                raise SourceUnreachable(message) from error
            raise _PassingError(message) from error
        except httpx.TimeoutException as error:
            raise _PassingError(f"{error.request.url.host} does not answer in time") from error
        except httpx.TransportError as error:
            raise _PassingError(f"no connection to {error.request.url.host}: {error}") from error

    def _tries(self) -> Iterable[stamina.Attempt]:
        return stamina.retry_context(
            on=_wait_before_retry, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=20.0
        )


def discard(target: Path) -> None:
    """Removes what there is of a download."""
    target.unlink(missing_ok=True)
    _version_file(target).unlink(missing_ok=True)


def host_of(url: str) -> str:
    """Returns the host, which is all of an address that may be shown: the rest can hold a password."""
    return httpx.URL(url).host


def _ssl_context() -> ssl.SSLContext:
    """Trusts the system's certificates, as OpenSSL finds them (SSL_CERT_FILE and SSL_CERT_DIR too).

    Systems without any, such as slim containers, get certifi's.
    """
    context = ssl.create_default_context()
    if "SSL_CERT_FILE" not in os.environ and "SSL_CERT_DIR" not in os.environ:
        context.load_verify_locations(certifi.where())
    return context


def _wait_before_retry(error: Exception) -> bool | float:
    """Says whether a retry can help, or after how many seconds."""
    if not isinstance(error, _PassingError):
        return False
    return True if error.wait_seconds is None else error.wait_seconds


def _retry_after(value: str) -> float | None:
    if value.isdecimal():
        return min(float(value), LONGEST_WAIT_SECONDS)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def _no_connection(error: httpx.TransportError) -> tuple[str, bool]:
    """Returns in words why there is no connection, and whether that is the network's or the server's answer to each
    try: the name has no address, nobody listens, there is no way."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        # The HTTP library hides the cause from tracebacks; the context still has it.
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return f"no answer in {CONNECT_TIMEOUT_SECONDS:.0f} s", True
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({cause.verify_message})"
        return f"{why}; SSL_CERT_FILE names further authorities", True
    if isinstance(cause, socket.gaierror):
        return f"the name can't be resolved ({cause.strerror})", True
    lasting = isinstance(cause, ConnectionRefusedError) or (cause is not None and cause.errno in NO_ROUTE)
    return (cause.strerror if cause is not None and cause.strerror else str(error)), lasting


def _server(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")


def _proxy_of(url: httpx.URL) -> str:
    """Returns the proxy that the environment names for an address, without its password; empty where there is none."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.host):
        return ""
    address = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    return f"{address.host}:{address.port}" if address.port else address.host


def _name(url: str) -> str:
    return httpx.URL(url).path.rsplit("/", 1)[-1]


def _size(target: Path) -> int:
    return target.stat().st_size if target.exists() else 0


def _version_file(target: Path) -> Path:
    return target.with_name(f"{target.name}.etag")


def _range(target: Path, have: int) -> dict[str, str]:
    """Asks for the rest of a file, as long as it is still the version that the beginning is of."""
    if not have:
        return {}
    version_file = _version_file(target)
    condition = {"If-Range": version_file.read_text()} if version_file.exists() else {}
    return {"Range": f"bytes={have}-", **condition}


def _remember_version(target: Path, response: httpx.Response) -> None:
    """Keeps a strong ETag for If-Range; where there is none, the hash of the whole file decides."""
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        _version_file(target).write_text(etag)


def _goes_on(target: Path, response: httpx.Response, offset: int) -> bool:
    """Says whether a partial answer is the rest of what is there: some servers ignore If-Range."""
    version_file, etag = _version_file(target), response.headers.get("ETag", "")
    content_range: str = response.headers.get("Content-Range", "")
    same = not (version_file.exists() and etag) or version_file.read_text() == etag
    return same and content_range.startswith(f"bytes {offset}-")
