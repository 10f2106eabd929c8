"""LiveService on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from recordroute.gateway.v1 import live_pb2, live_pb2_grpc
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.errors import InvalidInput, PreconditionFailed
from recordroute_runtime.wire import enum_name, to_duration, to_seconds, to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.labels import clean_folder, clean_line, clean_tags
from recordroute_gateway.live.audio import AudioFormat, Encoding
from recordroute_gateway.live.errors import session_ended
from recordroute_gateway.live.records import (
    AudioSaved,
    Caption,
    Ended,
    LanguageTold,
    LiveConfig,
    LiveEvent,
    SessionRow,
    SpeechChange,
    Warned,
)
from recordroute_gateway.live.session import LiveSession, Progress
from recordroute_gateway.live.sessions import LiveSessions, SessionStatus
from recordroute_gateway.servicers.records import options_message, options_record

MAX_SEQUENCE = (1 << 64) - 1


class LiveServicer(live_pb2_grpc.LiveServiceServicer):
    def __init__(self, sessions: LiveSessions) -> None:
        self._sessions = sessions

    async def StreamingTranscribe(
        self, request_iterator: AsyncIterator[live_pb2.StreamingTranscribeRequest], context: Any
    ) -> AsyncIterator[live_pb2.StreamingTranscribeResponse]:
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("payload") == "audio":
            raise InvalidInput(
                "STREAM_PROTOCOL", "the first message of the stream must open a session or go on with one"
            )
        session = await self._session(first)
        async with aclosing(self._events(session, first)) as events:
            if isinstance(session, SessionRow):
                async for event in events:
                    yield live_pb2.StreamingTranscribeResponse(event=event)
                return
            async with aclosing(_while_reading(events, _read(session, request_iterator))) as all_events:
                async for event in all_events:
                    yield live_pb2.StreamingTranscribeResponse(event=event)

    async def OpenLiveSession(
        self, request: live_pb2.OpenLiveSessionRequest, context: Any
    ) -> AsyncIterator[live_pb2.OpenLiveSessionResponse]:
        session = await self._session(request)
        async with aclosing(self._events(session, request)) as events:
            async for event in events:
                yield live_pb2.OpenLiveSessionResponse(event=event)

    async def PushLiveAudio(
        self, request: live_pb2.PushLiveAudioRequest, context: Any
    ) -> live_pb2.PushLiveAudioResponse:
        user, audio = current_caller().user, request.audio
        found = await self._sessions.find(user, request.session_id)
        if isinstance(found, SessionRow):
            if audio.sequence >= found.next_sequence:
                raise session_ended(found.id, found.recording_id, found.workflow_id)
            # Its answer was lost, and meanwhile the session has ended.
            progress = Progress(found.next_sequence, found.next_sequence, 0.0)
        else:
            progress = await found.push(audio.sequence, audio.audio, is_last=audio.end_of_audio)
        return live_pb2.PushLiveAudioResponse(
            next_audio_sequence=progress.next_sequence,
            buffered=to_duration(progress.buffered_seconds),
            saved_audio_sequence=progress.saved_sequence,
        )

    async def AddLiveBookmark(
        self, request: live_pb2.AddLiveBookmarkRequest, context: Any
    ) -> live_pb2.AddLiveBookmarkResponse:
        bookmark = await self._sessions.add_bookmark(
            current_caller().user,
            request.session_id,
            request.request_id,
            to_seconds(request.position) if request.HasField("position") else None,
            clean_line(request.label),
        )
        return live_pb2.AddLiveBookmarkResponse(position=to_duration(bookmark.position))

    async def ListLiveSessions(
        self, request: live_pb2.ListLiveSessionsRequest, context: Any
    ) -> live_pb2.ListLiveSessionsResponse:
        sessions = await self._sessions.list_open(current_caller().user)
        return live_pb2.ListLiveSessionsResponse(sessions=map(_session_message, sessions))

    async def _session(
        self, request: live_pb2.StreamingTranscribeRequest | live_pb2.OpenLiveSessionRequest
    ) -> LiveSession | SessionRow:
        user = current_caller().user
        if request.HasField("config"):
            session = await self._sessions.open(user, _config_record(request.config))
        else:
            session = await self._sessions.find(user, request.resume.session_id)
        if isinstance(session, LiveSession) and not request.resume.watch_only:
            session.take_over()
        return session

    async def _events(
        self,
        session: LiveSession | SessionRow,
        request: live_pb2.StreamingTranscribeRequest | live_pb2.OpenLiveSessionRequest,
    ) -> AsyncGenerator[live_pb2.LiveEvent]:
        after = request.resume.after_sequence
        row = session if isinstance(session, SessionRow) else session.row
        yield live_pb2.LiveEvent(sequence=after, opened=_session_message(self._sessions.status(row)))
        if isinstance(session, SessionRow):
            ended = Ended(row.recording_id, row.workflow_id, row.end_reason, row.next_sequence)
            yield _event_message(LiveEvent(min(after + 1, MAX_SEQUENCE), ended))
            return
        async with aclosing(session.watch(after)) as events:
            async for event in events:
                yield _event_message(event)


async def _read(session: LiveSession, requests: AsyncIterator[live_pb2.StreamingTranscribeRequest]) -> None:
    async for request in requests:
        if request.WhichOneof("payload") != "audio":
            raise InvalidInput("STREAM_PROTOCOL", "after its first message a stream holds audio only")
        audio = request.audio
        try:
            await session.push(audio.sequence, audio.audio, is_last=audio.end_of_audio)
        except PreconditionFailed:
            # It has ended by itself: the client learns that from the events, and what it still sends is too late.
            continue


async def _while_reading(
    events: AsyncGenerator[live_pb2.LiveEvent], reading: Any
) -> AsyncGenerator[live_pb2.LiveEvent]:
    """Yields the events while `reading` runs, and after it; raises what it raises."""
    reader = asyncio.create_task(reading)
    upcoming: asyncio.Task[live_pb2.LiveEvent] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(events))
            if reader.done():
                reader.result()
                await asyncio.wait([upcoming])
            else:
                await asyncio.wait([upcoming, reader], return_when=asyncio.FIRST_COMPLETED)
            if upcoming.done():
                try:
                    event = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = None
                yield event
    finally:
        for task in (reader, upcoming):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])


def _config_record(message: live_pb2.LiveConfig) -> LiveConfig:
    return LiveConfig(
        request_id=message.request_id,
        format=AudioFormat(
            Encoding(enum_name(message, "encoding")), message.sample_rate_hertz, message.channels or 1
        ),
        title=clean_line(message.title),
        folder=clean_folder(message.folder),
        tags=clean_tags(message.tags),
        options=options_record(message.options),
        interim_results=message.interim_results,
        skip_workflow=message.skip_workflow,
    )


def _config_message(config: LiveConfig) -> live_pb2.LiveConfig:
    return live_pb2.LiveConfig(
        request_id=config.request_id,
        encoding=f"AUDIO_ENCODING_{config.format.encoding.name}",
        sample_rate_hertz=config.format.rate,
        channels=config.format.channels,
        title=config.title,
        folder=config.folder,
        tags=config.tags,
        options=options_message(config.options),
        interim_results=config.interim_results,
        skip_workflow=config.skip_workflow,
    )


def _session_message(status: SessionStatus) -> live_pb2.LiveSession:
    return live_pb2.LiveSession(
        id=status.row.id,
        title=status.row.title,
        created_at=to_timestamp(status.row.created_at),
        next_audio_sequence=status.next_sequence,
        audio_duration=to_duration(status.audio_seconds),
        config=_config_message(status.row.config),
    )


def _event_message(event: LiveEvent) -> live_pb2.LiveEvent:
    message = live_pb2.LiveEvent(sequence=event.sequence)
    match event.body:
        case Caption() as caption:
            message.caption.result.CopyFrom(
                stt_pb2.RecognitionResult(
                    utterance=caption.utterance,
                    is_final=caption.is_final,
                    start=to_duration(caption.start),
                    end=to_duration(caption.end),
                    stable_text=caption.stable,
                    unstable_text=caption.unstable,
                    stability=caption.stability,
                    language=caption.language,
                    average_log_probability=caption.average_log_probability,
                )
            )
        case SpeechChange(started, time):
            kind = "KIND_SPEECH_STARTED" if started else "KIND_SPEECH_ENDED"
            message.speech.CopyFrom(stt_pb2.SpeechEvent(kind=kind, time=to_duration(time)))
        case LanguageTold(language, probability):
            message.language.CopyFrom(stt_pb2.DetectedLanguage(language=language, probability=probability))
        case AudioSaved(sequence):
            message.saved_audio_sequence = sequence
        case Warned(reason, text):
            message.warning.reason, message.warning.message = reason, text
        case Ended(recording_id, workflow_id, reason, next_sequence):
            message.ended.CopyFrom(
                live_pb2.LiveEnded(
                    recording_id=recording_id,
                    workflow_id=workflow_id,
                    reason=reason,
                    next_audio_sequence=next_sequence,
                )
            )
    return message
