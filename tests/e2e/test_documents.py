"""Documents through the real services: summarised, indexed, and found by page or line."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2

CALL_SECONDS = 60.0
NOTES = """# Library committee

The committee met on Monday and decided to open the new library on the third of May.

- Anna sends the invitations to all readers by Friday.
- The old building is sold to the city.

The next meeting is in June. A caretaker for the greenhouse has still to be found.
"""


@pytest.fixture(scope="module")
def notes(system, tmp_path_factory: pytest.TempPathFactory) -> library_pb2.Recording:
    """A text of some lines, through all stages."""
    path: Path = tmp_path_factory.mktemp("documents") / "notes.md"
    path.write_text(NOTES)
    uploaded = system.upload(path)
    events = list(system.watch(system.start_workflow(uploaded)))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED, events[-1]
    request = library_pb2.GetRecordingRequest(recording_id=uploaded)
    return system.library.GetRecording(request, timeout=CALL_SECONDS).recording


def test_document_has_everything_but_times(system, notes: library_pb2.Recording) -> None:
    assert notes.kind == library_pb2.RECORDING_KIND_DOCUMENT
    assert (notes.media_type, notes.language) == ("text/markdown", "en")
    assert not notes.HasField("duration")
    assert {artifact.kind for artifact in notes.artifacts} == {1, 2, 3, 4, 5}
    request = library_pb2.GetTranscriptRequest(recording_id=notes.id)
    transcript = system.library.GetTranscript(request, timeout=CALL_SECONDS)
    lines = NOTES.splitlines()
    assert [segment.line for segment in transcript.segments] == [1, 3, 5, 6, 8]
    assert all(segment.text == lines[segment.line - 1] for segment in transcript.segments)


def test_minutes_name_the_lines(system, notes: library_pb2.Recording) -> None:
    request = library_pb2.GetMinutesRequest(recording_id=notes.id)
    minutes = system.library.GetMinutes(request, timeout=CALL_SECONDS).minutes
    evidence = [place for section in minutes.sections for item in section.items for place in item.evidence]
    assert evidence
    lines = NOTES.splitlines()
    assert all(place.HasField("line") and place.quote == lines[place.line - 1] for place in evidence)


def test_search_finds_the_line(system, notes: library_pb2.Recording) -> None:
    request = search_pb2.SearchRequest(query="who looks after the greenhouse", recording_ids=[notes.id])
    [hit, *_] = system.search.Search(request, timeout=CALL_SECONDS).hits
    assert hit.recording_id == notes.id
    assert hit.HasField("line")
    assert not hit.HasField("page")
    assert "greenhouse" in hit.text
