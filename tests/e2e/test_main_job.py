"""The main job through the real gateway and services: what a user gets, and how it stops."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2
from recordroute_runtime.remote import read_error

CALL_SECONDS = 60.0


@pytest.fixture(scope="module")
def recording(system, sample: Path) -> library_pb2.Recording:
    """The sample, through all stages."""
    uploaded = system.upload(sample, "Weekly / meeting 회의 [draft].flac")
    events = list(system.watch(system.start_workflow(uploaded)))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED, events[-1]
    request = library_pb2.GetRecordingRequest(recording_id=uploaded)
    return system.library.GetRecording(request, timeout=CALL_SECONDS).recording


def export(system, recording_id: str, kind: str) -> str:
    request = library_pb2.ExportRequest(recording_id=recording_id, format=f"EXPORT_FORMAT_{kind.upper()}")
    return b"".join(part.chunk for part in system.library.Export(request, timeout=CALL_SECONDS)).decode()


def test_recording_has_everything(recording: library_pb2.Recording) -> None:
    kinds = {library_pb2.ArtifactKind.Name(artifact.kind) for artifact in recording.artifacts}
    assert kinds == {
        f"ARTIFACT_KIND_{name}" for name in ("MEDIA", "TRANSCRIPT", "MINUTES", "EMBEDDINGS", "INDEX")
    }
    assert recording.file_name == "meeting 회의 [draft].flac"
    assert recording.language == "en"
    assert recording.duration.seconds >= 59
    assert 1 <= len(recording.title) <= 60


def test_transcript_has_times_and_words(system, recording: library_pb2.Recording) -> None:
    request = library_pb2.GetTranscriptRequest(recording_id=recording.id)
    transcript = system.library.GetTranscript(request, timeout=CALL_SECONDS)
    times = [(segment.start.ToTimedelta(), segment.end.ToTimedelta()) for segment in transcript.segments]
    assert times == sorted(times)
    assert times[-1][1] <= recording.duration.ToTimedelta()
    assert all(segment.words for segment in transcript.segments)
    pages, token = [], ""
    while True:
        page = system.library.GetTranscript(
            library_pb2.GetTranscriptRequest(recording_id=recording.id, page_size=2, page_token=token),
            timeout=CALL_SECONDS,
        )
        pages += page.segments
        token = page.next_page_token
        if not token:
            break
    assert pages == list(transcript.segments)


def test_minutes_rest_on_the_transcript(system, recording: library_pb2.Recording) -> None:
    transcript = system.library.GetTranscript(
        library_pb2.GetTranscriptRequest(recording_id=recording.id), timeout=CALL_SECONDS
    )
    minutes = system.library.GetMinutes(
        library_pb2.GetMinutesRequest(recording_id=recording.id), timeout=CALL_SECONDS
    ).minutes
    assert minutes.overview or minutes.sections
    said = {segment.index: segment.text for segment in transcript.segments}
    items = [item for section in minutes.sections for item in section.items]
    assert items
    for item in items:
        assert item.evidence, item
        assert all(evidence.quote == said[evidence.segment_index] for evidence in item.evidence)


def test_search_finds_the_place(system, recording: library_pb2.Recording) -> None:
    transcript = system.library.GetTranscript(
        library_pb2.GetTranscriptRequest(recording_id=recording.id), timeout=CALL_SECONDS
    )
    longest = max(transcript.segments, key=lambda segment: len(segment.text))
    answer = system.search.Search(search_pb2.SearchRequest(query=longest.text), timeout=CALL_SECONDS)
    best = answer.hits[0]
    assert best.recording_id == recording.id
    assert best.start.ToTimedelta() <= longest.end.ToTimedelta()
    assert best.end.ToTimedelta() >= longest.start.ToTimedelta()
    # Words that were left out on either side are marked.
    assert best.snippet.strip("…") in best.text
    assert all(place.end <= len(best.snippet) for place in best.highlights)


@pytest.mark.parametrize("kind", ["txt", "md", "srt", "vtt", "json"])
def test_export_holds_the_transcript(system, recording: library_pb2.Recording, kind: str) -> None:
    text = export(system, recording.id, kind)
    first = json.loads(export(system, recording.id, "json"))["transcript"]["segments"][0]["text"]
    assert first.split()[0] in text
    if kind == "srt":
        assert text.startswith("1\n00:00:0")
    if kind == "vtt":
        assert text.startswith("WEBVTT\n\n00:00:0")


def test_cancel_stops_the_inference(system, sample: Path) -> None:
    uploaded = system.upload(sample)
    finished = system.finished_calls("llm", "LlmService/Summarize")
    workflow = system.start_workflow(uploaded, skip_speakers=True)
    for event in system.watch(workflow):
        if (
            event.stage == workflow_pb2.WORKFLOW_STAGE_SUMMARISE
            and event.state == workflow_pb2.WORKFLOW_STATE_RUNNING
        ):
            break
    request = workflow_pb2.CancelWorkflowRequest(request_id=str(uuid.uuid4()), workflow_id=workflow)
    answer = system.workflows.CancelWorkflow(request, timeout=CALL_SECONDS)
    assert answer.workflow.state == workflow_pb2.WORKFLOW_STATE_CANCELLED
    events = list(system.watch(workflow))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_CANCELLED
    assert system.finished_calls("llm", "LlmService/Summarize") == finished
    # The model is free again: the next request gets its turn.
    retry = workflow_pb2.RetryWorkflowRequest(request_id=str(uuid.uuid4()), workflow_id=workflow)
    assert system.workflows.RetryWorkflow(retry, timeout=CALL_SECONDS).workflow.state in (
        workflow_pb2.WORKFLOW_STATE_QUEUED,
        workflow_pb2.WORKFLOW_STATE_RUNNING,
    )
    events = list(system.watch(workflow, after=events[-1].sequence))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED
    assert all(event.stage != workflow_pb2.WORKFLOW_STAGE_TRANSCRIBE for event in events)


def test_deleted_recording_is_found_nowhere(system, data: Path) -> None:
    uploaded = system.upload(data / "librivox_0870.wav")
    workflow = system.start_workflow(uploaded, skip_summary=True, skip_speakers=True)
    assert list(system.watch(workflow))[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED
    assert system.passage_count(uploaded) > 0
    request = library_pb2.DeleteRecordingRequest(request_id=str(uuid.uuid4()), recording_id=uploaded)
    for _ in range(2):
        system.library.DeleteRecording(request, timeout=CALL_SECONDS)
    assert system.passage_count(uploaded) == 0
    restore = library_pb2.RestoreRecordingRequest(request_id=str(uuid.uuid4()), recording_id=uploaded)
    system.library.RestoreRecording(restore, timeout=CALL_SECONDS)
    assert system.passage_count(uploaded) > 0
    request.request_id, request.purge = str(uuid.uuid4()), True
    for _ in range(2):
        system.library.DeleteRecording(request, timeout=CALL_SECONDS)
    assert system.passage_count(uploaded) == 0
    for call, question in (
        (system.library.GetRecording, library_pb2.GetRecordingRequest(recording_id=uploaded)),
        (system.workflows.GetWorkflow, workflow_pb2.GetWorkflowRequest(workflow_id=workflow)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(question, timeout=CALL_SECONDS)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_missing_model_is_said_with_the_command_that_mends_it(system, data: Path) -> None:
    uploaded = system.upload(data / "jfk.flac")
    workflow = system.start_workflow(uploaded, stt_model="no-such-model", skip_summary=True)
    last = list(system.watch(workflow))[-1]
    assert last.error.reason == "MODEL_MISSING", MessageToDict(last)
    assert "recordroute models pull no-such-model" in last.error.message


def test_silence_is_no_error(system, data: Path, tmp_path: Path) -> None:
    import wave

    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * 16000 * 5))
    uploaded = system.upload(path)
    workflow = system.start_workflow(uploaded)
    assert list(system.watch(workflow))[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED
    request = workflow_pb2.GetWorkflowRequest(workflow_id=workflow)
    stages = system.workflows.GetWorkflow(request, timeout=CALL_SECONDS).workflow.stages
    assert [stage.state for stage in stages] == [
        workflow_pb2.WORKFLOW_STATE_SUCCEEDED,
        workflow_pb2.WORKFLOW_STATE_SKIPPED,
        workflow_pb2.WORKFLOW_STATE_SKIPPED,
        workflow_pb2.WORKFLOW_STATE_SKIPPED,
    ]
    assert export(system, uploaded, "txt") == ""


def test_bad_file_is_refused_and_the_library_is_as_it_was(system, tmp_path: Path) -> None:
    before = system.library.ListRecordings(library_pb2.ListRecordingsRequest(), timeout=CALL_SECONDS)
    path = tmp_path / "renamed.mp3"
    path.write_text("this is a text\n" * 1000)
    with pytest.raises(grpc.RpcError) as caught:
        system.upload(path)
    assert read_error(caught.value).reason == "MEDIA_UNREADABLE"
    after = system.library.ListRecordings(library_pb2.ListRecordingsRequest(), timeout=CALL_SECONDS)
    assert after == before


def test_many_uploads_at_once(system, data: Path) -> None:
    # The probes run in child processes; where gRPC's fork handlers run in them, one in fifteen dies.
    with ThreadPoolExecutor(4) as threads:
        uploaded = list(threads.map(system.upload, [data / "librivox_0880.wav"] * 40))
    assert len(set(uploaded)) == 40
    for recording_id in uploaded:
        request = library_pb2.DeleteRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording_id)
        system.library.DeleteRecording(request, timeout=CALL_SECONDS)
