"""What a person corrects once is searched, kept, and recognised the next time: with real models."""

from __future__ import annotations

import uuid
from pathlib import Path

from recordroute.gateway.v1 import (
    library_pb2,
    search_pb2,
    vocabulary_pb2,
    vocabulary_pb2_grpc,
    workflow_pb2,
)

from tests.conftest import wait_for

CALL_SECONDS = 60.0


def transcript_of(system, recording_id: str) -> library_pb2.GetTranscriptResponse:
    request = library_pb2.GetTranscriptRequest(recording_id=recording_id)
    return system.library.GetTranscript(request, timeout=CALL_SECONDS)


def transcribe(system, recording_id: str, **options: object) -> str:
    workflow = system.start_workflow(
        recording_id, stt_model="faster-whisper-base", language="en", skip_summary=True, **options
    )
    events = list(system.watch(workflow))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED, events[-1]
    return " ".join(segment.text for segment in transcript_of(system, recording_id).segments)


def edit(system, recording_id: str, find: str, replacement: str) -> library_pb2.EditTranscriptResponse:
    change = library_pb2.FindAndReplace(find=find, replacement=replacement)
    request = library_pb2.EditTranscriptRequest(
        request_id=str(uuid.uuid4()),
        recording_id=recording_id,
        etag=transcript_of(system, recording_id).etag,
        edits=[library_pb2.TranscriptEdit(find_and_replace=change)],
    )
    return system.library.EditTranscript(request, timeout=CALL_SECONDS)


def found_texts(system, recording_id: str, query: str) -> list[str]:
    request = search_pb2.SearchRequest(query=query, recording_ids=[recording_id])
    return [hit.text for hit in system.search.Search(request, timeout=CALL_SECONDS).hits]


def test_corrected_name_is_found_and_recognised_the_next_time(system, data: Path) -> None:
    recording_id = system.upload(data / "hotwords.mp3")
    before = transcribe(system, recording_id)
    assert "ComfyUI" not in before
    # As the recogniser hears it, which is the same each time.
    heard = before.partition("into your ")[2].partition(" folder")[0]
    answer = edit(system, recording_id, heard, "ComfyUI")
    assert list(answer.replaced_counts) == [2]
    corrected = before.replace(heard, "ComfyUI")
    (segment,) = answer.changed_segments
    assert segment.words[-1].end.ToTimedelta() <= segment.end.ToTimedelta()
    wait_for(
        lambda: found_texts(system, recording_id, "ComfyUI") == [corrected], "the new text in the search"
    )
    terms = vocabulary_pb2_grpc.VocabularyServiceStub(system.channel())
    (term,) = terms.ListTerms(vocabulary_pb2.ListTermsRequest(), timeout=CALL_SECONDS).terms
    assert (term.text, list(term.heard_as), term.learned) == ("ComfyUI", [heard], True)

    assert transcribe(system, recording_id).count("ComfyUI") == 2
    assert "ComfyUI" not in transcribe(system, recording_id, skip_vocabulary=True)
    request = library_pb2.ListTranscriptRevisionsRequest(recording_id=recording_id)
    revisions = system.library.ListTranscriptRevisions(request, timeout=CALL_SECONDS).revisions
    assert [revision.summary for revision in revisions][-2:] == [f"“{heard}” → “ComfyUI” 2×", "transcribed"]
    terms.RemoveTerms(
        vocabulary_pb2.RemoveTermsRequest(request_id=str(uuid.uuid4()), texts=["ComfyUI"]),
        timeout=CALL_SECONDS,
    )
