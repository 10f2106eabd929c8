"""Questions to the recordings, with real models: from a corrected transcript to an answer with its places."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2
from recordroute_runtime.remote import read_error

from tests.conftest import wait_for

CALL_SECONDS = 60.0
SAID = (
    "Good morning everyone, let us begin with the budget. "
    "We decided to open the new library on the third of May. "
    "Anna will send the invitations to all readers by Friday."
)


@pytest.fixture(scope="module")
def talk(system, data: Path) -> Iterator[str]:
    """A recording that somebody has corrected until it said something else."""
    recording_id = system.upload(data / "jfk.flac")
    events = list(system.watch(system.start_workflow(recording_id, skip_summary=True)))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED, events[-1]
    request = library_pb2.GetTranscriptRequest(recording_id=recording_id)
    transcript = system.library.GetTranscript(request, timeout=CALL_SECONDS)
    edits = [
        library_pb2.TranscriptEdit(
            replace_text=library_pb2.ReplaceText(
                segment_index=segment.index, end=len(segment.text), text=SAID if not segment.index else ""
            )
        )
        for segment in reversed(transcript.segments)
    ]
    system.library.EditTranscript(
        library_pb2.EditTranscriptRequest(
            request_id=str(uuid.uuid4()), recording_id=recording_id, etag=transcript.etag, edits=edits
        ),
        timeout=CALL_SECONDS,
    )

    def is_found() -> bool:
        asked = search_pb2.SearchRequest(query="library", recording_ids=[recording_id])
        return any("library" in hit.text for hit in system.search.Search(asked, timeout=CALL_SECONDS).hits)

    wait_for(is_found, "the new text in the search")
    yield recording_id
    delete = library_pb2.DeleteRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording_id)
    system.library.DeleteRecording(delete, timeout=CALL_SECONDS)


def ask(system, question: str, **values: object) -> list[search_pb2.AskResponse]:
    return list(system.search.Ask(search_pb2.AskRequest(question=question, **values), timeout=120))


def test_answer_names_the_places_that_it_rests_on(system, talk: str) -> None:
    parts = ask(system, "When does the new library open?", recording_ids=[talk])
    sources = parts[0].sources.sources
    assert [source.recording_id for source in sources] == [talk]
    assert (parts[-1].result.found, parts[-1].result.model) == (True, "smollm2-135m-instruct")
    (first, *_) = (part.sentence for part in parts if part.HasField("sentence"))
    assert "May" in first.text
    cited = first.citations[0]
    quote = sources[cited.source_index].text[cited.range.start : cited.range.end]
    assert quote == "We decided to open the new library on the third of May."
    # In the eleven seconds of the recording, behind the first sentence.
    assert 1.0 < cited.start.ToTimedelta().total_seconds() < 9.0


def test_question_that_leans_on_the_conversation(system, talk: str) -> None:
    history = [search_pb2.Exchange(question="Who sends the invitations?", answer="Anna sends them.")]
    parts = ask(system, "And by when?", recording_ids=[talk], history=history)
    standalone = parts[0].sources.standalone_question
    assert any(word in standalone for word in ("Anna", "invitations"))
    assert parts[-1].HasField("result")


def test_recordings_that_do_not_hold_the_answer(system, talk: str) -> None:
    parts = ask(system, "What does the swimming pool in Busan cost?", recording_ids=[talk])
    assert not parts[-1].result.found
    assert [part for part in parts if part.HasField("sentence")] == []


def test_similar_recordings_are_others(system, talk: str) -> None:
    request = search_pb2.FindSimilarRequest(recording_id=talk)
    found = system.search.FindSimilar(request, timeout=CALL_SECONDS).recordings
    assert talk not in {each.recording.id for each in found}
    assert all(0 <= each.similarity <= 1 for each in found)


def test_recording_that_is_not_indexed_has_no_alike(system, data: Path) -> None:
    recording_id = system.upload(data / "librivox_0870.wav")
    with pytest.raises(grpc.RpcError) as caught:
        system.search.FindSimilar(
            search_pb2.FindSimilarRequest(recording_id=recording_id), timeout=CALL_SECONDS
        )
    assert read_error(caught.value).reason == "ARTIFACT_NOT_READY"
    delete = library_pb2.DeleteRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording_id)
    system.library.DeleteRecording(delete, timeout=CALL_SECONDS)
