"""Makes the transcript of a document: its text with pages or lines in place of times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.library.readers.process import ReaderStopped, run_reader
from recordroute_gateway.library.records import Evidence, Minutes, Segment, Transcript

DOCUMENT_SECONDS = 120.0


def read_error(error: ReaderStopped) -> InvalidInput:
    """Returns what a reader that was stopped says of a document."""
    return InvalidInput("MEDIA_UNREADABLE", f"the document can't be read: {error}")


async def read_document(path: Path, media_type: str, language: str | None) -> Transcript:
    """Reads a document that `probe_file` has found to be one; `language` None: it is detected.

    Raises InvalidInput as `probe_file` does.
    """
    form = "pdf" if media_type == "application/pdf" else "text"
    try:
        found = await run_reader("documents", "read", str(path), form, seconds=DOCUMENT_SECONDS)
    except ReaderStopped as error:
        raise read_error(error) from error
    if "reason" in found:
        raise InvalidInput(found["reason"], found["message"])
    segments = tuple(
        Segment(index, 0.0, 0.0, text, page=page or None, line=line or None)
        for index, (text, page, line) in enumerate(found["blocks"])
    )
    return Transcript(
        language=language or found["language"],
        language_probability=1.0 if language else found["language_probability"],
        duration=0.0,
        model="",
        segments=segments,
    )


def with_places(minutes: Minutes, transcript: Transcript) -> Minutes:
    """Returns minutes of a document with the pages or lines of their evidence."""
    segments = {segment.index: segment for segment in transcript.segments}

    def placed(evidence: Evidence) -> Evidence:
        segment = segments.get(evidence.segment_index)
        return replace(evidence, page=segment.page, line=segment.line) if segment else evidence

    return replace(
        minutes,
        sections=tuple(
            replace(
                section,
                items=tuple(
                    replace(item, evidence=tuple(map(placed, item.evidence))) for item in section.items
                ),
            )
            for section in minutes.sections
        ),
    )
