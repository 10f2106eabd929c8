"""Uploads large files in chunks: a lost connection is waited for, and an upload that was ended is gone on with.

Small files go in one stream, which is faster: sending them again costs less than noting every chunk on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import google_crc32c
import grpc
from recordroute.gateway.v1 import library_pb2, upload_pb2
from recordroute_runtime.remote import read_error

from recordroute_cli.places import data_dir

if TYPE_CHECKING:
    from recordroute_cli.client import Gateway

# Sent within seconds on any network that one waits for.
RESUMABLE_BYTES = 256 * 1024 * 1024
IN_FLIGHT = 4
CALL_SECONDS = 60.0
# A server that lost its memory of the bytes reads them once more; then it probes the file.
COMPLETE_SECONDS = 600.0
PATIENCE_SECONDS = 120.0
LONGEST_PAUSE_SECONDS = 5.0
NOTES = "unfinished_uploads"


class Note:
    """Remembers, beside the library, under which request a file was being sent where."""

    def __init__(self, address: str, path: Path, status: os.stat_result) -> None:
        what = json.dumps([address, str(path.absolute()), status.st_size, status.st_mtime_ns])
        self._path = (
            data_dir() / NOTES / hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()[:32]
        )

    def request_id(self, new: str) -> str:
        """Returns the request of an upload that was ended, or notes a new one."""
        with suppress(OSError):
            return self._path.read_text()
        # Without the note the upload works as well; it only can't be gone on with.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(new)
        return new

    def forget(self) -> None:
        """Forgets it: the upload has come to an end."""
        with suppress(OSError):
            self._path.unlink()


def upload_in_chunks(
    gateway: Gateway, path: Path, config: upload_pb2.UploadConfig, on_sent: Callable[[int, int], None]
) -> library_pb2.Recording:
    """Uploads a file.

    Raises OSError where it can't be read, and CommandError where the server refuses it or stays away.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        note = Note(gateway.address, path, status)
        config.request_id = note.request_id(config.request_id)
        try:
            recording = _send(gateway, file, config, on_sent)
        except grpc.RpcError as error:
            if not read_error(cast(grpc.Call, error)).can_retry:
                note.forget()
            with gateway.translated():
                raise
        note.forget()
        return recording


def _send(
    gateway: Gateway,
    file: BinaryIO,
    config: upload_pb2.UploadConfig,
    on_sent: Callable[[int, int], None],
) -> library_pb2.Recording:
    size = config.size_bytes
    request = upload_pb2.CreateUploadRequest(config=config)
    upload: upload_pb2.Upload = _patiently(gateway.uploads.CreateUpload, request).upload
    sent = sum(part.end - part.start for part in upload.received)
    on_sent(sent, size)
    digest = hashlib.sha256()
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="upload") as threads:
        running: dict[Future[Any], int] = {}
        try:
            for offset, data in _read(file, digest, upload):
                if len(running) == IN_FLIGHT:
                    sent += _finish_one(running)
                    on_sent(sent, size)
                chunk = upload_pb2.UploadChunkRequest(
                    upload_id=upload.id, offset=offset, data=data, crc32c=google_crc32c.value(data)
                )
                running[threads.submit(_patiently, gateway.uploads.UploadChunk, chunk)] = len(data)
            while running:
                sent += _finish_one(running)
                on_sent(sent, size)
        finally:
            for future in running:
                future.cancel()
    complete = upload_pb2.CompleteUploadRequest(upload_id=upload.id, sha256=digest.hexdigest())
    answer = _patiently(gateway.uploads.CompleteUpload, complete, seconds=COMPLETE_SECONDS)
    recording: library_pb2.Recording = answer.recording
    return recording


def _read(file: BinaryIO, digest: Any, upload: upload_pb2.Upload) -> Iterator[tuple[int, bytes]]:
    """Yields the chunks that the server does not have; all of the file is hashed."""
    received = [(part.start, part.end) for part in upload.received]
    offset = 0
    while data := file.read(upload.chunk_size_bytes):
        digest.update(data)
        if not any(start <= offset and offset + len(data) <= end for start, end in received):
            yield offset, data
        offset += len(data)


def _finish_one(running: dict[Future[Any], int]) -> int:
    # With an end, for Ctrl-C to be heard.
    while not (done := wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done):
        pass
    finished = done.pop()
    size = running.pop(finished)
    finished.result()
    return size


def _patiently(method: Callable[..., Any], request: Any, *, seconds: float = CALL_SECONDS) -> Any:
    """Makes a call, again and again while the server is away; every call of an upload may be repeated."""
    started, pause = time.monotonic(), 0.1
    while True:
        try:
            return method(request, timeout=seconds)
        except grpc.RpcError as error:
            remote = read_error(cast(grpc.Call, error))
            late = remote.code is grpc.StatusCode.DEADLINE_EXCEEDED
            if not (remote.can_retry or late) or time.monotonic() - started > PATIENCE_SECONDS:
                raise
            asked = remote.retry_after.total_seconds() if remote.retry_after else 0.0
            time.sleep(max(pause, asked))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
