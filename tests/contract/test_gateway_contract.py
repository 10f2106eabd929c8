"""The gateway's refusals by a blocking client; what it does well is in tests/e2e."""

from __future__ import annotations

import uuid
from collections import Counter

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from recordroute.gateway.v1 import (
    library_pb2,
    library_pb2_grpc,
    search_pb2,
    upload_pb2,
    watch_pb2,
    workflow_pb2,
)
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
        answer = call(request, timeout=60)
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
        "LibraryService/RestoreRecording",
        library_pb2.RestoreRecordingRequest(request_id=NOBODY, recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/UpdateRecording",
        library_pb2.UpdateRecordingRequest(
            request_id=NOBODY,
            recording=library_pb2.Recording(id=NOBODY, title="x"),
            update_mask=FieldMask(paths=["title"]),
        ),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/UpdateRecording",
        library_pb2.UpdateRecordingRequest(
            request_id=NOBODY,
            recording=library_pb2.Recording(id=NOBODY),
            update_mask=FieldMask(paths=["owner"]),
        ),
        "FIELD_MASK",
    ),
    (
        "LibraryService/UpdateRecording",
        library_pb2.UpdateRecordingRequest(
            request_id=NOBODY,
            recording=library_pb2.Recording(id=NOBODY, tags=["x", "x"]),
            update_mask=FieldMask(paths=["tags"]),
        ),
        "INVALID_FIELDS",
    ),
    (
        "LibraryService/BulkEdit",
        library_pb2.BulkEditRequest(request_id=NOBODY, recording_ids=[NOBODY]),
        "INVALID_FIELDS",
    ),
    (
        "LibraryService/GetWaveform",
        library_pb2.GetWaveformRequest(recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/GetWaveform",
        library_pb2.GetWaveformRequest(recording_id=NOBODY, peak_count=20_001),
        "INVALID_FIELDS",
    ),
    (
        "UploadService/CreateUpload",
        upload_pb2.CreateUploadRequest(config=upload_pb2.UploadConfig(request_id=NOBODY, file_name="a.wav")),
        "INVALID_FIELDS",
    ),
    (
        "UploadService/CreateUpload",
        upload_pb2.CreateUploadRequest(
            config=upload_pb2.UploadConfig(request_id=NOBODY, file_name="a.wav", size_bytes=2**63)
        ),
        "MEDIA_TOO_LARGE",
    ),
    ("UploadService/GetUpload", upload_pb2.GetUploadRequest(upload_id=NOBODY), "UPLOAD_NOT_FOUND"),
    (
        "UploadService/UploadChunk",
        upload_pb2.UploadChunkRequest(upload_id=NOBODY, data=b"x"),
        "CHUNK_CHECKSUM_MISMATCH",
    ),
    (
        "UploadService/CompleteUpload",
        upload_pb2.CompleteUploadRequest(upload_id=NOBODY, sha256="0" * 64),
        "UPLOAD_NOT_FOUND",
    ),
    ("UploadService/AbortUpload", upload_pb2.AbortUploadRequest(upload_id="../x"), "INVALID_FIELDS"),
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
    (
        "LibraryService/ShareRecording",
        library_pb2.ShareRecordingRequest(request_id=NOBODY, recording_id=NOBODY, user="u", access=1),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/ShareRecording",
        library_pb2.ShareRecordingRequest(request_id=NOBODY, recording_id=NOBODY, user="u", access=3),
        "INVALID_FIELDS",
    ),
    (
        "LibraryService/UnshareRecording",
        library_pb2.UnshareRecordingRequest(request_id=NOBODY, recording_id=NOBODY, user="u"),
        "RECORDING_NOT_FOUND",
    ),
    ("LibraryService/ListShares", library_pb2.ListSharesRequest(recording_id=NOBODY), "RECORDING_NOT_FOUND"),
    (
        "LibraryService/EditTranscript",
        library_pb2.EditTranscriptRequest(
            request_id=NOBODY,
            recording_id=NOBODY,
            etag="e",
            edits=[library_pb2.TranscriptEdit(replace_text=library_pb2.ReplaceText())],
        ),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/EditTranscript",
        library_pb2.EditTranscriptRequest(
            request_id=NOBODY, recording_id=NOBODY, etag="e", edits=[library_pb2.TranscriptEdit()]
        ),
        "INVALID_FIELDS",
    ),
    (
        "LibraryService/ListTranscriptRevisions",
        library_pb2.ListTranscriptRevisionsRequest(recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/RevertTranscript",
        library_pb2.RevertTranscriptRequest(request_id=NOBODY, recording_id=NOBODY, etag="e", revision=1),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/EditMinutes",
        library_pb2.EditMinutesRequest(
            request_id=NOBODY,
            recording_id=NOBODY,
            etag="e",
            edits=[library_pb2.MinutesEdit(overview="Shorter.")],
        ),
        "RECORDING_NOT_FOUND",
    ),
    (
        "LibraryService/EditMinutes",
        library_pb2.EditMinutesRequest(request_id=NOBODY, recording_id=NOBODY, etag="e"),
        "INVALID_FIELDS",
    ),
    ("SearchService/Search", search_pb2.SearchRequest(query=""), "INVALID_FIELDS"),
    (
        "SearchService/FindSimilar",
        search_pb2.FindSimilarRequest(recording_id=NOBODY),
        "RECORDING_NOT_FOUND",
    ),
]


@pytest.mark.parametrize(("method", "request_", "reason"), CASES)
def test_unary_refusals(grpc_channel, method: str, request_: object, reason: str) -> None:
    assert refusal(grpc_channel, method, request_) == reason


def test_streaming_refusals(grpc_channel) -> None:
    export = library_pb2.ExportRequest(recording_id=NOBODY, format=library_pb2.EXPORT_FORMAT_TXT)
    assert refusal(grpc_channel, "LibraryService/Export", export, streams="out") == "RECORDING_NOT_FOUND"
    export.format = library_pb2.EXPORT_FORMAT_UNSPECIFIED
    assert refusal(grpc_channel, "LibraryService/Export", export, streams="out") == "INVALID_FIELDS"
    download = library_pb2.DownloadArtifactRequest(recording_id=NOBODY, kind=library_pb2.ARTIFACT_KIND_MEDIA)
    reason = refusal(grpc_channel, "LibraryService/DownloadArtifact", download, streams="out")
    assert reason == "RECORDING_NOT_FOUND"
    watch = workflow_pb2.WatchWorkflowRequest(workflow_id=NOBODY)
    assert (
        refusal(grpc_channel, "WorkflowService/WatchWorkflow", watch, streams="out") == "WORKFLOW_NOT_FOUND"
    )
    ask = search_pb2.AskRequest(question="")
    assert refusal(grpc_channel, "SearchService/Ask", ask, streams="out") == "INVALID_FIELDS"
    upload = upload_pb2.UploadRecordingRequest(chunk=b"x")
    assert (
        refusal(grpc_channel, "UploadService/UploadRecording", iter([upload]), streams="in")
        == "STREAM_PROTOCOL"
    )


def test_empty_page(grpc_stub) -> None:
    answer = grpc_stub.ListRecordings(library_pb2.ListRecordingsRequest(text="회의"), timeout=60)
    assert not answer.recordings
    assert answer.next_page_token == ""


def test_facets_count_the_recordings(grpc_stub) -> None:
    request = library_pb2.ListRecordingsRequest(page_size=1000)
    recordings = grpc_stub.ListRecordings(request, timeout=60).recordings
    facets = grpc_stub.ListFacets(library_pb2.ListFacetsRequest(), timeout=60)
    for found, values in (
        (facets.tags, [tag for recording in recordings for tag in recording.tags]),
        (facets.languages, [recording.language for recording in recordings if recording.language]),
    ):
        assert {facet.value: facet.recording_count for facet in found} == Counter(values)


def test_what_is_not_there_is_told_for_each(grpc_stub) -> None:
    request = library_pb2.BulkEditRequest(
        request_id=NOBODY, recording_ids=[NOBODY], labels=library_pb2.BulkLabels(folder="x")
    )
    (result,) = grpc_stub.BulkEdit(request, timeout=60).results
    assert (result.recording_id, result.error.reason) == (NOBODY, "RECORDING_NOT_FOUND")


def test_watching_the_library_begins_with_a_number(grpc_channel) -> None:
    call = grpc_channel.unary_stream(
        "/recordroute.gateway.v1.WatchService/WatchLibrary",
        request_serializer=watch_pb2.WatchLibraryRequest.SerializeToString,
        response_deserializer=watch_pb2.WatchLibraryResponse.FromString,
    )
    for request, change in (
        (watch_pb2.WatchLibraryRequest(), None),
        (watch_pb2.WatchLibraryRequest(after_sequence=2**63), "reset"),
    ):
        answers = call(request, timeout=60)
        assert next(answers).WhichOneof("change") == change
        answers.cancel()
