"""The gateway's client: channel, deadlines, errors in words, ids from their beginnings, uploads, watching."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from recordroute.gateway.v1 import (
    identity_pb2_grpc,
    library_pb2,
    library_pb2_grpc,
    live_pb2_grpc,
    model_pb2_grpc,
    search_pb2_grpc,
    system_pb2_grpc,
    template_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
    vocabulary_pb2_grpc,
    voice_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
    webhook_pb2_grpc,
    workflow_pb2,
    workflow_pb2_grpc,
)
from recordroute_runtime.bearer import with_token
from recordroute_runtime.remote import read_error

from recordroute_cli import resumable
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import TOKEN_VARIABLE, access_token, gateway_address, tls_authorities
from recordroute_cli.terminal import plain

UNARY_SECONDS = 30.0
CHUNK_BYTES = 1024 * 1024
# Up to this size a file is read twice, so that the server can refuse bytes that changed on their way.
HASH_FIRST_BYTES = 64 * 1024 * 1024
PAGE_SIZE = 500
BULK_SIZE = 200
BULK_SECONDS = 120.0
ID_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,}")
LOST_PATIENCE_SECONDS = 60.0

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Also the time that a first connection may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
)

TERMINAL_STATES = frozenset(
    (
        workflow_pb2.WORKFLOW_STATE_SUCCEEDED,
        workflow_pb2.WORKFLOW_STATE_FAILED,
        workflow_pb2.WORKFLOW_STATE_CANCELLED,
    )
)


def open_channel(address: str) -> grpc.Channel:
    """Opens a channel to `host:port`, `unix:/path`, or, over TLS, `https://host:port`."""
    target = address.removeprefix("https://")
    if target == address:
        return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls_authorities())
    return grpc.secure_channel(target.rstrip("/"), credentials, options=CHANNEL_OPTIONS)


def translate(error: grpc.RpcError, address: str) -> CommandError:
    """Returns what a failed call means to the person who made it."""
    remote = read_error(cast(grpc.Call, error))
    code, reason, trace_id = remote.code, remote.reason, remote.trace_id
    message = remote.message or code.name.lower().replace("_", " ")
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        return CommandError(
            f"no RecordRoute server at {address}; start one with: recordroute up",
            ExitCode.UNREACHABLE,
            status=code.name,
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return CommandError(
            f"the RecordRoute server at {address} did not answer in time",
            ExitCode.UNREACHABLE,
            status=code.name,
        )
    if reason == "TOKEN_MISSING":
        return CommandError(
            f"the RecordRoute server at {address} wants a token: put it into {TOKEN_VARIABLE} ({reason})",
            ExitCode.FAILED,
            status=code.name,
            reason=reason,
            trace_id=trace_id,
        )
    exit_code = ExitCode.FAILED
    if code is grpc.StatusCode.NOT_FOUND:
        exit_code = ExitCode.NOT_FOUND
    elif reason == "INVALID_FIELDS":
        exit_code = ExitCode.USAGE
    if code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN) and trace_id and trace_id not in message:
        message = f"{message} (trace {trace_id})"
    if reason == "DUPLICATE_RECORDING":
        known = remote.metadata.get("recording_id", "")
        message = f"{plain(message)}, {known[:8]}; --allow-duplicate adds it once more"
    if reason and reason != "INTERNAL":
        message = f"{message} ({reason})"
    return CommandError(
        message, exit_code, status=code.name, reason=reason, trace_id=trace_id, metadata=remote.metadata
    )


@dataclass(frozen=True)
class Lost:
    """Watching lost its connection and tries again."""


class Gateway:
    """Blocking client of one gateway. Its calls raise CommandError."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._closed = threading.Event()
        self._channel = with_token(open_channel(address), access_token(address))
        self.identity = identity_pb2_grpc.IdentityServiceStub(self._channel)
        self.uploads = upload_pb2_grpc.UploadServiceStub(self._channel)
        self.library = library_pb2_grpc.LibraryServiceStub(self._channel)
        self.workflows = workflow_pb2_grpc.WorkflowServiceStub(self._channel)
        self.search = search_pb2_grpc.SearchServiceStub(self._channel)
        self.watching = watch_pb2_grpc.WatchServiceStub(self._channel)
        self.voices = voice_pb2_grpc.VoiceServiceStub(self._channel)
        self.vocabulary = vocabulary_pb2_grpc.VocabularyServiceStub(self._channel)
        self.templates = template_pb2_grpc.TemplateServiceStub(self._channel)
        self.live = live_pb2_grpc.LiveServiceStub(self._channel)
        self.webhooks = webhook_pb2_grpc.WebhookServiceStub(self._channel)
        self.models = model_pb2_grpc.ModelServiceStub(self._channel)
        self.system = system_pb2_grpc.SystemServiceStub(self._channel)

    def close(self) -> None:
        """Ends every call that still runs."""
        self._closed.set()
        self._channel.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns failed calls into CommandError."""
        try:
            yield
        except grpc.RpcError as error:
            raise translate(error, self.address) from error

    def call(self, method: Callable[..., Any], request: Any, timeout: float = UNARY_SECONDS) -> Any:
        """Makes a unary call with a deadline."""
        with self.translated():
            return method(request, timeout=timeout)

    def recordings(
        self, limit: int | None = None, wanted: library_pb2.ListRecordingsRequest | None = None
    ) -> Iterator[library_pb2.Recording]:
        """Yields the recordings that are `wanted`: all outside the bin, newest first, unless told otherwise."""
        request = library_pb2.ListRecordingsRequest()
        if wanted is not None:
            request.CopyFrom(wanted)
        request.page_size = min(limit or PAGE_SIZE, PAGE_SIZE)
        count = 0
        while True:
            page = self.call(self.library.ListRecordings, request)
            for recording in page.recordings:
                yield recording
                count += 1
                if count == limit:
                    return
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def all_workflows(self) -> Iterator[workflow_pb2.Workflow]:
        """Yields the workflows, newest first."""
        request = workflow_pb2.ListWorkflowsRequest(page_size=PAGE_SIZE)
        while True:
            page = self.call(self.workflows.ListWorkflows, request)
            yield from page.workflows
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def recording_id(self, text: str) -> str:
        """Returns the id of the recording, in the bin or not, whose id begins with `text`."""

        def ids() -> Iterator[str]:
            for in_bin in (False, True):
                wanted = library_pb2.ListRecordingsRequest(in_bin=in_bin)
                yield from (recording.id for recording in self.recordings(wanted=wanted))

        return resolve_id(text, "recording", ids)

    def workflow_id(self, text: str) -> str:
        """Returns the id of the workflow whose id begins with `text`."""
        return resolve_id(text, "workflow", lambda: (workflow.id for workflow in self.all_workflows()))

    def workflow(self, workflow_id: str) -> workflow_pb2.Workflow:
        """Returns one workflow."""
        request = workflow_pb2.GetWorkflowRequest(workflow_id=workflow_id)
        response: workflow_pb2.GetWorkflowResponse = self.call(self.workflows.GetWorkflow, request)
        return response.workflow

    def recording(self, recording_id: str) -> library_pb2.Recording:
        """Returns one recording."""
        request = library_pb2.GetRecordingRequest(recording_id=recording_id)
        response: library_pb2.GetRecordingResponse = self.call(self.library.GetRecording, request)
        return response.recording

    def update(self, recording: library_pb2.Recording, *paths: str) -> library_pb2.Recording:
        """Changes these fields of a recording, whose id and new values `recording` has."""
        request = library_pb2.UpdateRecordingRequest(
            request_id=str(uuid.uuid4()), recording=recording, update_mask=FieldMask(paths=paths)
        )
        response: library_pb2.UpdateRecordingResponse = self.call(self.library.UpdateRecording, request)
        return response.recording

    def bulk_edit(
        self,
        recording_ids: Sequence[str],
        *,
        labels: library_pb2.BulkLabels | None = None,
        delete: library_pb2.BulkDelete | None = None,
        restore: library_pb2.BulkRestore | None = None,
    ) -> list[library_pb2.BulkEditResult]:
        """Does one thing to several recordings and returns what became of each."""
        results: list[library_pb2.BulkEditResult] = []
        for start in range(0, len(recording_ids), BULK_SIZE):
            request = library_pb2.BulkEditRequest(
                request_id=str(uuid.uuid4()),
                recording_ids=recording_ids[start : start + BULK_SIZE],
                labels=labels,
                delete=delete,
                restore=restore,
            )
            results += self.call(self.library.BulkEdit, request, BULK_SECONDS).results
        return results

    def transcript(
        self, recording_id: str, *, removed_text: bool = False
    ) -> library_pb2.GetTranscriptResponse:
        """Returns the whole transcript, its pages joined, with the text that was taken out or without."""
        request = library_pb2.GetTranscriptRequest(
            recording_id=recording_id, include_removed_text=removed_text
        )
        whole: library_pb2.GetTranscriptResponse = self.call(self.library.GetTranscript, request)
        while whole.next_page_token:
            request.page_token = whole.next_page_token
            page = self.call(self.library.GetTranscript, request)
            whole.segments.extend(page.segments)
            whole.next_page_token = page.next_page_token
        return whole

    def minutes(self, recording_id: str) -> library_pb2.GetMinutesResponse:
        """Returns the minutes."""
        response: library_pb2.GetMinutesResponse = self.call(
            self.library.GetMinutes, library_pb2.GetMinutesRequest(recording_id=recording_id)
        )
        return response

    def export(self, recording_id: str, file_format: library_pb2.ExportFormat) -> Iterator[bytes]:
        """Yields the exported file."""
        request = library_pb2.ExportRequest(recording_id=recording_id, format=file_format)
        with self.translated():
            for response in self.library.Export(request):
                yield response.chunk

    def start(
        self, recording_id: str, options: workflow_pb2.WorkflowOptions, request_id: str
    ) -> workflow_pb2.Workflow:
        """Starts the work on a recording."""
        request = workflow_pb2.StartWorkflowRequest(
            request_id=request_id, recording_id=recording_id, options=options
        )
        response: workflow_pb2.StartWorkflowResponse = self.call(self.workflows.StartWorkflow, request)
        return response.workflow

    def retry(self, workflow_id: str) -> workflow_pb2.Workflow:
        """Goes on with a failed or cancelled workflow."""
        request = workflow_pb2.RetryWorkflowRequest(request_id=str(uuid.uuid4()), workflow_id=workflow_id)
        response: workflow_pb2.RetryWorkflowResponse = self.call(self.workflows.RetryWorkflow, request)
        return response.workflow

    def upload(
        self,
        path: Path,
        *,
        request_id: str,
        about: upload_pb2.UploadConfig | None = None,
        on_sent: Callable[[int, int], None] = lambda sent, size: None,
    ) -> library_pb2.Recording:
        """Uploads a file: in one stream, or in chunks where it is large. `about` says what is not in the file: title,
        folder, tags. `on_sent(sent, size)` is told the bytes that were sent, from another thread.

        Raises OSError where the file can't be read, and CommandError where the server refuses it.
        """
        read_errors: list[OSError] = []
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            config = upload_pb2.UploadConfig(
                request_id=request_id, file_name=_wire_name(path.name), size_bytes=size
            )
            if about is not None:
                config.MergeFrom(about)
            if size > resumable.RESUMABLE_BYTES:
                return resumable.upload_in_chunks(self, path, config, on_sent)
            if size <= HASH_FIRST_BYTES:
                config.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)

            def messages() -> Iterator[upload_pb2.UploadRecordingRequest]:
                yield upload_pb2.UploadRecordingRequest(config=config)
                sent = 0
                while True:
                    try:
                        chunk = file.read(CHUNK_BYTES)
                    except OSError as error:
                        read_errors.append(error)
                        call.cancel()
                        return
                    except ValueError:
                        # The call was given up, and the file closed.
                        return
                    if not chunk:
                        return
                    yield upload_pb2.UploadRecordingRequest(chunk=chunk)
                    sent += len(chunk)
                    on_sent(sent, size)

            call = self.uploads.UploadRecording.future(messages())
            try:
                with self.translated():
                    return call.result().recording
            except (CommandError, grpc.FutureCancelledError):
                if read_errors:
                    raise read_errors[0] from None
                raise
            finally:
                # Nothing else stops the bytes when this thread is interrupted.
                call.cancel()

    def watch_library(
        self, after_sequence: int | None = None
    ) -> Iterator[watch_pb2.WatchLibraryResponse | Lost]:
        """Yields what changes in the library until the caller has enough; the connection as in `watch`."""
        request = watch_pb2.WatchLibraryRequest(after_sequence=after_sequence)
        lost_since: float | None = None
        pause = 0.1
        while True:
            call = self.watching.WatchLibrary(request)
            try:
                for response in call:
                    lost_since, pause = None, 0.1
                    request.after_sequence = response.sequence
                    yield response
            except grpc.RpcError as error:
                if self._closed.is_set() or not read_error(cast(grpc.Call, error)).can_retry:
                    raise translate(error, self.address) from error
                if lost_since is None:
                    lost_since = time.monotonic()
                    yield Lost()
                elif time.monotonic() - lost_since > LOST_PATIENCE_SECONDS:
                    raise translate(error, self.address) from error
            finally:
                call.cancel()
            self._closed.wait(pause)
            pause = min(pause * 2, 2.0)

    def watch(self, workflow_id: str, after_sequence: int = 0) -> Iterator[workflow_pb2.WorkflowEvent | Lost]:
        """Yields the workflow's events, each once and in order, until it has ended.

        A lost connection is made anew and the stream taken up after the last event; Lost is yielded once in
        between. Raises CommandError where the server refuses, or after a minute without one.
        """
        seen = after_sequence
        lost_since: float | None = None
        pause = 0.1
        while True:
            call = self.workflows.WatchWorkflow(
                workflow_pb2.WatchWorkflowRequest(workflow_id=workflow_id, after_sequence=seen)
            )
            try:
                for response in call:
                    lost_since, pause = None, 0.1
                    if response.event.sequence > seen:
                        seen = response.event.sequence
                        yield response.event
                request = workflow_pb2.GetWorkflowRequest(workflow_id=workflow_id)
                state = self.workflows.GetWorkflow(request, timeout=UNARY_SECONDS).workflow.state
                if state in TERMINAL_STATES:
                    return
            except grpc.RpcError as error:
                if self._closed.is_set() or not read_error(cast(grpc.Call, error)).can_retry:
                    raise translate(error, self.address) from error
                if lost_since is None:
                    lost_since = time.monotonic()
                    yield Lost()
                elif time.monotonic() - lost_since > LOST_PATIENCE_SECONDS:
                    raise translate(error, self.address) from error
            finally:
                call.cancel()
            self._closed.wait(pause)
            pause = min(pause * 2, 2.0)


@contextmanager
def connect(address: str | None = None) -> Iterator[Gateway]:
    """Opens a client of the gateway at `address`, by default the one that `gateway_address` finds."""
    gateway = Gateway(address or gateway_address())
    try:
        yield gateway
    finally:
        gateway.close()


def health(address: str, timeout: float = 2.0) -> str:
    """Returns the health of the server at `address`: SERVING, NOT_SERVING, or the status of the failed call."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with open_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def serving(address: str, timeout: float = 2.0) -> bool:
    """Whether the server at `address` is ready for calls."""
    return health(address, timeout) == "SERVING"


def resolve_id(text: str, kind: str, ids: Callable[[], Iterator[str]]) -> str:
    """Returns the one of `ids` that `text` is, or begins. Raises CommandError."""
    prefix = text.strip().lower()
    try:
        return str(uuid.UUID(prefix)) if len(prefix) >= 32 else _unique(prefix, kind, ids())
    except ValueError:
        raise CommandError(f"{plain(text)} is not the id of a {kind}", ExitCode.USAGE) from None


def _unique(prefix: str, kind: str, ids: Iterator[str]) -> str:
    if not ID_PREFIX.fullmatch(prefix):
        raise CommandError(
            f"{plain(prefix)!r} is not the id of a {kind}, nor its first 4 or more characters", ExitCode.USAGE
        )
    found = [candidate for candidate in ids if candidate.startswith(prefix)]
    if not found:
        raise CommandError(f"no {kind} has an id that begins with {prefix}", ExitCode.NOT_FOUND)
    if len(found) > 1:
        raise CommandError(
            f"{len(found)} {kind}s have ids that begin with {prefix}: give more of it", ExitCode.USAGE
        )
    return found[0]


def _wire_name(name: str) -> str:
    # File systems allow names that are not text; the contract does not.
    return os.fsencode(name).decode("utf-8", "replace")
