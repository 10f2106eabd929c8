"""LibraryService: transcripts, their edits and history, and minutes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recordroute.common.v1 import transcript_pb2
from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.errors import InvalidInput, PreconditionFailed
from recordroute_runtime.threads import in_thread
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.clients.minutes import minutes_message
from recordroute_gateway.clients.segments import segment_message
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.minutes_edits import (
    MinutesEdit,
    RemoveLine,
    RewriteLine,
    SetOverview,
    TickLine,
    minutes_etag,
)
from recordroute_gateway.library.records import (
    Access,
    ArtifactKind,
    Recording,
    RecordingKind,
    Segment,
    Transcript,
)
from recordroute_gateway.library.revisions import Revision
from recordroute_gateway.library.transcript_edits import (
    AssignSpeaker,
    Edit,
    FindAndReplace,
    MergeSegments,
    RenameSpeaker,
    ReplaceText,
    SplitSegment,
)
from recordroute_gateway.servicers.library_parts import LibraryCalls
from recordroute_gateway.servicers.records import DEFAULT_PAGE_SIZE, removed_message, speaker_message

DEFAULT_SEGMENTS = 1000
# Below the message limit with room to spare, words and all.
PAGE_BYTES = 2 << 20


class TranscriptCalls(LibraryCalls):
    async def GetTranscript(
        self, request: library_pb2.GetTranscriptRequest, context: Any
    ) -> library_pb2.GetTranscriptResponse:
        if request.page_token and not (request.page_token.isascii() and request.page_token.isdecimal()):
            raise InvalidInput("PAGE_TOKEN", "page_token is not one that this server gave")
        revision, transcript = await self._newest(request.recording_id)
        # Tens of thousands of words: others go on meanwhile.
        return await in_thread(_page, request, revision, transcript)

    async def EditTranscript(
        self, request: library_pb2.EditTranscriptRequest, context: Any
    ) -> library_pb2.EditTranscriptResponse:
        user = current_caller().user
        revised = await self._parts.revisions.edit(
            user,
            await self._editable(request.recording_id),
            request.request_id,
            request.etag,
            [_edit(edit) for edit in request.edits],
            learn=not request.skip_vocabulary,
        )
        self._parts.keeper.begin([request.recording_id])
        segments = revised.transcript.segments
        return library_pb2.EditTranscriptResponse(
            revision=_revision_message(revised.revision),
            changed_segments=_as_many_as_fit((segments[index] for index in revised.changed), PAGE_BYTES),
            segment_count=len(segments),
            speakers=map(speaker_message, revised.transcript.speakers),
            replaced_counts=revised.replaced_counts,
            changed_count=len(revised.changed),
        )

    async def ListTranscriptRevisions(
        self, request: library_pb2.ListTranscriptRevisionsRequest, context: Any
    ) -> library_pb2.ListTranscriptRevisionsResponse:
        recording = await self._parts.library.get(current_caller().user, request.recording_id)
        page, token = await self._parts.revisions.list_page(
            recording, request.page_size or DEFAULT_PAGE_SIZE, request.page_token
        )
        return library_pb2.ListTranscriptRevisionsResponse(
            revisions=map(_revision_message, page), next_page_token=token
        )

    async def RevertTranscript(
        self, request: library_pb2.RevertTranscriptRequest, context: Any
    ) -> library_pb2.RevertTranscriptResponse:
        revised = await self._parts.revisions.revert(
            current_caller().user,
            await self._editable(request.recording_id),
            request.request_id,
            request.etag,
            request.revision,
        )
        self._parts.keeper.begin([request.recording_id])
        return library_pb2.RevertTranscriptResponse(revision=_revision_message(revised.revision))

    async def GetMinutes(
        self, request: library_pb2.GetMinutesRequest, context: Any
    ) -> library_pb2.GetMinutesResponse:
        library = self._parts.library
        recording = await library.get(current_caller().user, request.recording_id)
        minutes = await library.minutes(recording)
        artifact = recording.artifact(ArtifactKind.MINUTES)
        return library_pb2.GetMinutesResponse(
            minutes=minutes_message(minutes),
            stale=artifact is not None and artifact.stale,
            etag=minutes_etag(recording),
        )

    async def EditMinutes(
        self, request: library_pb2.EditMinutesRequest, context: Any
    ) -> library_pb2.EditMinutesResponse:
        minutes, etag = await self._parts.minutes.edit(
            current_caller().user,
            request.request_id,
            request.recording_id,
            request.etag,
            [_minutes_edit(edit) for edit in request.edits],
        )
        return library_pb2.EditMinutesResponse(minutes=minutes_message(minutes), etag=etag)

    async def _newest(self, recording_id: str) -> tuple[Revision, Transcript]:
        """Returns the newest revision, and the text that is that revision's and no other's."""
        library, lost = self._parts.library, ""
        while True:
            recording = await library.get(current_caller().user, recording_id)
            revision = await self._parts.revisions.current(recording)
            try:
                return revision, await library.transcripts.read(revision.sha256)
            except FileNotFoundError:
                # Transcribed again since its row was read; a text that its row still names is lost.
                if revision.sha256 == lost:
                    raise
                lost = revision.sha256

    async def _editable(self, recording_id: str) -> Recording:
        recording = await self._parts.library.get(current_caller().user, recording_id, Access.WRITE)
        if recording.kind is RecordingKind.DOCUMENT:
            raise PreconditionFailed(
                "NOT_A_TRANSCRIPT", "the recording is a document: its text is that of its file"
            )
        return recording


def _page(
    request: library_pb2.GetTranscriptRequest, revision: Revision, transcript: Transcript
) -> library_pb2.GetTranscriptResponse:
    position, size = int(request.page_token or 0), 0
    end = position + (request.page_size or DEFAULT_SEGMENTS)
    answer = library_pb2.GetTranscriptResponse(
        language=transcript.language,
        warnings=transcript.warnings,
        damages=[
            transcript_pb2.MediaDamage(reason=damage.reason, message=damage.message, metadata=damage.metadata)
            for damage in transcript.damages
        ],
        speakers=map(speaker_message, transcript.speakers),
        etag=revision.etag,
        revision=revision.revision,
    )
    if request.include_removed_text and not position:
        for removed in transcript.removed:
            answer.removed.append(removed_message(removed))
            size += answer.removed[-1].ByteSize()
            if size > PAGE_BYTES // 2:
                break
    answer.segments.extend(_as_many_as_fit(transcript.segments[position:end], PAGE_BYTES - size))
    end = position + len(answer.segments)
    answer.next_page_token = str(end) if answer.segments and end < len(transcript.segments) else ""
    return answer


def _as_many_as_fit(segments: Iterable[Segment], size: int) -> list[transcript_pb2.Segment]:
    """Returns the messages of the first segments, up to so many bytes, and one at least."""
    messages: list[transcript_pb2.Segment] = []
    for segment in segments:
        message = segment_message(segment, words=True)
        size -= message.ByteSize()
        if size < 0 and messages:
            break
        messages.append(message)
    return messages


def _edit(message: library_pb2.TranscriptEdit) -> Edit:
    match message.WhichOneof("edit"):
        case "replace_text":
            text = message.replace_text
            return ReplaceText(text.segment_index, text.start, text.end, text.text)
        case "split_segment":
            return SplitSegment(message.split_segment.segment_index, message.split_segment.position)
        case "merge_segments":
            merge = message.merge_segments
            return MergeSegments(merge.first_segment_index, merge.last_segment_index)
        case "assign_speaker":
            assign = message.assign_speaker
            return AssignSpeaker(tuple(assign.segment_indices), assign.label)
        case "rename_speaker":
            return RenameSpeaker(message.rename_speaker.label, message.rename_speaker.name)
        case _:
            replace = message.find_and_replace
            return FindAndReplace(
                replace.find,
                replace.replacement,
                match_case=replace.match_case,
                whole_words=replace.whole_words,
            )


def _minutes_edit(message: library_pb2.MinutesEdit) -> MinutesEdit:
    match message.WhichOneof("edit"):
        case "overview":
            return SetOverview(message.overview)
        case "rewrite_line":
            line = message.rewrite_line.line
            return RewriteLine(line.section_index, line.item_index, message.rewrite_line.text)
        case "remove_line":
            return RemoveLine(message.remove_line.section_index, message.remove_line.item_index)
        case _:
            line = message.tick_line.line
            return TickLine(line.section_index, line.item_index, message.tick_line.done)


def _revision_message(revision: Revision) -> library_pb2.TranscriptRevision:
    return library_pb2.TranscriptRevision(
        revision=revision.revision,
        created_at=to_timestamp(revision.created_at),
        author=revision.author,
        summary=revision.summary,
        reverted_to=revision.reverted_to,
        etag=revision.etag,
    )
