"""Downloads from a server that truncates, stalls, fails, forgets ranges, changes files and sends wrong bytes."""

from __future__ import annotations

import hashlib
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from recordroute_models.download import Downloader
from recordroute_models.errors import FetchError, SourceUnreachable

CONTENT = random.Random(1).randbytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/file.bin"


@pytest.fixture
def downloader() -> Iterator[Downloader]:
    with Downloader(stall_timeout_seconds=60.0, attempts=3) as downloader:
        yield downloader


@pytest.fixture
def impatient() -> Iterator[Downloader]:
    with Downloader(stall_timeout_seconds=1.0, attempts=3) as downloader:
        yield downloader


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


def fetch(downloader: Downloader, server: Any, target: Path, **options: Any) -> None:
    downloader.fetch(f"{server.url}{PATH}", target, size=len(CONTENT), sha256=SHA256, **options)


def test_a_whole_file_is_fetched_once_and_every_byte_reported(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT)
    counts: list[int] = []
    fetch(downloader, server, target, on_bytes=counts.append)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == len(CONTENT)


def test_a_truncated_answer_is_resumed_where_it_ended(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT)
    server.truncate(PATH, 70_000)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert [(request.range, request.status) for request in server.requests] == [
        (None, 200),
        ("bytes=70000-", 206),
    ]
    assert server.requests[1].if_range == server.etags[PATH]


def test_a_link_cut_more_often_than_the_attempts_still_ends_well_while_bytes_arrive(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT)
    for _ in range(9):
        server.truncate(PATH, 20_000)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert server.sent() == len(CONTENT)


def test_a_stalled_answer_is_given_up_and_resumed(server: Any, impatient: Downloader, target: Path) -> None:
    server.add(PATH, CONTENT)
    server.stall(PATH, 50_000)
    fetch(impatient, server, target)
    assert target.read_bytes() == CONTENT
    assert server.requests[1].range == "bytes=50000-"


def test_a_server_that_stays_silent_is_an_error(server: Any, impatient: Downloader, target: Path) -> None:
    server.add(PATH, CONTENT)
    silences = [server.stall(PATH, 0) for _ in range(4)]
    with pytest.raises(FetchError, match="does not answer in time"):
        fetch(impatient, server, target)
    assert all(silence.wait(60) for silence in silences[:3])
    assert not silences[3].is_set()


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_failure_is_tried_again(
    server: Any, downloader: Downloader, target: Path, status: int
) -> None:
    server.add(PATH, CONTENT)
    server.fail(PATH, status, {"Retry-After": "0"})
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_lasting_failure_is_an_error_after_the_attempts(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT)
    for _ in range(5):
        server.fail(PATH, 503)
    with pytest.raises(FetchError, match=r"127\.0\.0\.1 answers 503 .* for file\.bin"):
        fetch(downloader, server, target)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(server: Any, downloader: Downloader, target: Path, status: int) -> None:
    server.add(PATH, CONTENT)
    server.fail(PATH, status)
    with pytest.raises(FetchError, match=str(status)):
        fetch(downloader, server, target)
    assert len(server.requests) == 1


def test_a_server_without_ranges_starts_anew(server: Any, downloader: Downloader, target: Path) -> None:
    server.add(PATH, CONTENT)
    server.knows_ranges = False
    server.truncate(PATH, 70_000)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changes_between_two_answers_starts_anew(
    server: Any, downloader: Downloader, target: Path, heeds_if_range: bool
) -> None:
    server.add(PATH, bytes(len(CONTENT)))
    server.truncate(PATH, 70_000)
    server.fail(PATH, 404)
    with pytest.raises(FetchError):
        fetch(downloader, server, target)
    server.add(PATH, CONTENT)
    server.heeds_if_range = heeds_if_range
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked(PATH)[2].range == "bytes=70000-"


def test_without_an_etag_the_hash_finds_a_mixture_of_two_versions(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT)
    server.etags[PATH] = ""
    target.write_bytes(bytes(70_000))
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert [request.range for request in server.requests] == ["bytes=70000-", None]


def test_corrupt_bytes_are_fetched_once_more(server: Any, downloader: Downloader, target: Path) -> None:
    server.add(PATH, CONTENT)
    server.corrupt(PATH)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_bytes_that_stay_corrupt_are_an_error_and_leave_nothing(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, bytes(len(CONTENT)))
    with pytest.raises(FetchError, match=r"file\.bin arrived corrupt twice"):
        fetch(downloader, server, target)
    assert len(server.requests) == 2
    assert list(target.parent.iterdir()) == []


def test_a_larger_file_than_the_catalogue_says_is_refused(
    server: Any, downloader: Downloader, target: Path
) -> None:
    server.add(PATH, CONTENT + b"more")
    with pytest.raises(FetchError, match="larger than it should be"):
        fetch(downloader, server, target)
    assert not target.exists()


def test_a_finished_file_is_checked_but_not_asked_for(
    server: Any, downloader: Downloader, target: Path
) -> None:
    target.write_bytes(CONTENT)
    fetch(downloader, server, target)
    assert server.requests == []


def test_more_than_the_file_on_disk_starts_anew(server: Any, downloader: Downloader, target: Path) -> None:
    server.add(PATH, CONTENT)
    target.write_bytes(CONTENT + b"more")
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT


def test_a_port_where_nobody_listens_is_told_at_once(
    server: Any, downloader: Downloader, target: Path, retries: list[str]
) -> None:
    url = server.url
    server.close()
    with pytest.raises(SourceUnreachable, match=r"^no connection to 127\.0\.0\.1: Connection refused$"):
        downloader.fetch(f"{url}{PATH}", target, size=1, sha256=SHA256)
    assert retries == []


def test_a_name_without_an_address_is_told_at_once(
    downloader: Downloader, retries: list[str], direct: None
) -> None:
    with pytest.raises(
        SourceUnreachable, match=r"^no connection to models\.invalid: the name can't be resolved \("
    ):
        downloader.get(f"http://models.invalid{PATH}", {})
    assert retries == []


def test_a_proxy_that_is_away_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, retries: list[str], direct: None
) -> None:
    # Bound and not listening: nobody else takes the address, and it refuses.
    with socket.socket() as away:
        away.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{away.getsockname()[1]}"
        monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@{address}")
        with (
            Downloader(stall_timeout_seconds=60.0, attempts=3) as downloader,
            pytest.raises(SourceUnreachable) as error,
        ):
            downloader.get(f"http://models.invalid{PATH}", {})
    assert str(error.value) == f"no connection to models.invalid by the proxy {address}: Connection refused"
    assert retries == []


def test_packets_that_nobody_answers_are_given_up_after_one_try(
    monkeypatch: pytest.MonkeyPatch, retries: list[str], direct: None
) -> None:
    monkeypatch.setattr("recordroute_models.download.CONNECT_TIMEOUT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as stack:
        # Linux leaves those who call unanswered while as many wait to be accepted as may.
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        downloader = stack.enter_context(Downloader(stall_timeout_seconds=60.0, attempts=3))
        with pytest.raises(SourceUnreachable, match=r"^no connection to 127\.0\.0\.1: no answer in 1 s$"):
            downloader.get(f"http://127.0.0.1:{deaf.getsockname()[1]}{PATH}", {})
    assert retries == []


def test_a_certificate_that_nobody_vouches_for_is_told_at_once(
    downloader: Downloader, retries: list[str], direct: None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as httpd:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        thread = threading.Thread(target=httpd.handle_request)
        thread.start()
        with pytest.raises(SourceUnreachable, match=r"its certificate is not trusted \(.*SSL_CERT_FILE"):
            downloader.get(f"https://127.0.0.1:{httpd.server_port}{PATH}", {})
        thread.join()
    assert retries == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_that_is_reset_is_made_again(
    server: Any, downloader: Downloader, target: Path, retries: list[str], times: int
) -> None:
    server.add(PATH, CONTENT)
    for _ in range(times):
        server.reset(PATH)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert len(retries) == times


def test_a_server_that_fails_twice_and_then_works_is_waited_for(
    server: Any, downloader: Downloader, target: Path, retries: list[str]
) -> None:
    server.add(PATH, CONTENT)
    for status in (503, 500):
        server.fail(PATH, status)
    fetch(downloader, server, target)
    assert target.read_bytes() == CONTENT
    assert [message.partition(" for ")[0] for message in retries] == [
        "127.0.0.1 answers 503 Service Unavailable",
        "127.0.0.1 answers 500 Internal Server Error",
    ]


def test_a_server_that_goes_away_after_it_has_answered_is_tried_again(
    server: Any, downloader: Downloader, target: Path, retries: list[str]
) -> None:
    server.add(PATH, CONTENT)
    server.truncate(PATH, 70_000)

    def close_then(count: int) -> None:
        if count == 70_000 and not retries:
            server.close()

    with pytest.raises(FetchError, match=r"^no connection to 127\.0\.0\.1: Connection refused$") as error:
        fetch(downloader, server, target, on_bytes=close_then)
    assert not isinstance(error.value, SourceUnreachable)
    # The first try has got on, which gives another full number of tries.
    assert retries.count("no connection to 127.0.0.1: Connection refused") == 3
    assert target.stat().st_size == 70_000


def test_an_error_never_shows_a_password(server: Any, downloader: Downloader, target: Path) -> None:
    url = server.url.replace("//", "//user:secret@")
    with pytest.raises(FetchError) as error:
        downloader.fetch(f"{url}{PATH}?key=secret", target, size=1, sha256=SHA256)
    assert "secret" not in str(error.value)


def test_an_address_that_is_not_http_fails_at_once(downloader: Downloader, target: Path) -> None:
    with pytest.raises(FetchError, match="the address of passwd is not http or https"):
        downloader.fetch("file:///etc/passwd", target, size=1, sha256=SHA256)
