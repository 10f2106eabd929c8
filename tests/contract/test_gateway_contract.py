"""The gateway's refusals by a blocking client; what it does well is in tests/e2e."""

from __future__ import annotations

import base64
import uuid

import grpc
import pytest
from recordroute.gateway.v1 import library_pb2, library_pb2_grpc, search_pb2, upload_pb2, workflow_pb2
from recordroute_runtime.remote import read_error

SOCKET = None
NOBODY = str(uuid.uuid4())


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[library_pb2_grpc.LibraryServiceStub]:
    return library_pb2_grpc.LibraryServiceStub


def refusal(channel: grpc.Channel, method: str, request: object, *, streams: str = "") -> str:
    """Calls a method of any service by its name and returns the reason of its refusal."""
    service, name = method.split("/")
    file = {
        "LibraryService": library_pb2,
        "SearchService": search_pb2,
        "UploadService": upload_pb2,
        "WorkflowService": workflow_pb2,
    }[service]
    output = getattr(file, file.DESCRIPTOR.services_by_name[service].methods_by_name[name].output_type.name)
    make = {"": channel.unary_unary, "out": channel.unary_stream, "in": channel.stream_unary}[streams]
    call = make(
        f"/recordroute.gateway.v1.{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=output.FromString,
    )
    try:
        answer = call(request, timeout=10)
        answers = list(answer) if streams == "out" else [answer]
    except grpc.RpcError as error:
        return read_error(error).reason
    pytest.fail(f"{method} was not refused: {answers}")


CASES = [
    (
        "LibraryService/GetRecording",
        library_pb2.GetRecordingRequest(recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    ("LibraryService/GetRecording", library_pb2.GetRecordingRequest(recording_id="../x"), "INVALID_FIELDS"),
    (
        "LibraryService/GetTranscript",
        library_pb2.GetTranscriptRequest(recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    ("LibraryService/GetMinutes", library_pb2.GetMinutesRequest(recording_id=NOBODY), "RECORDING_NOT_FOUND"),
    ("LibraryService/ListRecordings", library_pb2.ListRecordingsRequest(page_token="?"), "PAGE_TOKEN"),
    ("LibraryService/ListRecordings", library_pb2.ListRecordingsRequest(page_size=1001), "INVALID_FIELDS"),
    (
        "LibraryService/DeleteRecording",
        library_pb2.DeleteRecordingRequest(recording_id=NOBODY),
        "INVALID_FIELDS",
    ),
    (
        "WorkflowService/GetWorkflow",
        workflow_pb2.GetWorkflowRequest(workflow_id=NOBODY),
        "WORKFLOW_NOT_FOUND",
    ),
    ("WorkflowService/ListWorkflows", workflow_pb2.ListWorkflowsRequest(page_token="?"), "PAGE_TOKEN"),
    (
        "WorkflowService/StartWorkflow",
        workflow_pb2.StartWorkflowRequest(request_id=NOBODY, recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    (
        "WorkflowService/CancelWorkflow",
        workflow_pb2.CancelWorkflowRequest(request_id=NOBODY, workflow_id=NOBODY),
        "WORKFLOW_NOT_FOUND",
    ),
    (
        "WorkflowService/RetryWorkflow",
        workflow_pb2.RetryWorkflowRequest(request_id=NOBODY, workflow_id=NOBODY),
        "WORKFLOW_NOT_FOUND",
    ),
    ("SearchService/Search", search_pb2.SearchRequest(query=""), "INVALID_FIELDS"),
]


@pytest.mark.parametrize(("method", "request_", "reason"), CASES)
def test_unary_refusals(grpc_channel, method: str, request_: object, reason: str) -> None:
    assert refusal(grpc_channel, method, request_) == reason


def test_streaming_refusals(grpc_channel) -> None:
    export = library_pb2.ExportRequest(recording_id=NOBODY, format=library_pb2.EXPORT_FORMAT_TXT)
    assert refusal(grpc_channel, "LibraryService/Export", export, streams="out") == "RECORDING_NOT_FOUND"
    export.format = library_pb2.EXPORT_FORMAT_UNSPECIFIED
    assert refusal(grpc_channel, "LibraryService/Export", export, streams="out") == "INVALID_FIELDS"
    watch = workflow_pb2.WatchWorkflowRequest(workflow_id=NOBODY)
    assert (
        refusal(grpc_channel, "WorkflowService/WatchWorkflow", watch, streams="out") == "WORKFLOW_NOT_FOUND"
    )
    upload = upload_pb2.UploadRecordingRequest(chunk=b"x")
    assert (
        refusal(grpc_channel, "UploadService/UploadRecording", iter([upload]), streams="in")
        == "STREAM_PROTOCOL"
    )


def test_empty_page(grpc_stub) -> None:
    # Older than everything: the token of a row that never was.
    token = base64.urlsafe_b64encode(b'["1970-01-01T00:00:00+00:00", "x"]').decode()
    answer = grpc_stub.ListRecordings(library_pb2.ListRecordingsRequest(page_token=token), timeout=10)
    assert not answer.recordings
    assert answer.next_page_token == ""


def test_every_rpc_was_called(called) -> None:
    files = (library_pb2, search_pb2, upload_pb2, workflow_pb2)
    services = [service for file in files for service in file.DESCRIPTOR.services_by_name.values()]
    assert called.methods == {method.name for service in services for method in service.methods}
