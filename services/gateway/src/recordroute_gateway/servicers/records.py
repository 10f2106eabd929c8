"""The library's records as messages of the contract."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from recordroute.gateway.v1 import library_pb2, voice_pb2, workflow_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.errors import FieldViolations, InvalidInput
from recordroute_runtime.wire import enum_name, to_datetime, to_duration, to_timestamp

from recordroute_gateway.clients.segments import segment_message
from recordroute_gateway.library.records import (
    MADE_FROM,
    Artifact,
    ArtifactKind,
    FailedArtifact,
    Recording,
    RemovedText,
    Speaker,
)
from recordroute_gateway.library.voices import Voice
from recordroute_gateway.workflow.outlook import Outlook
from recordroute_gateway.workflow.records import Event, Failure, Options, Priority, Stage, Workflow

DEFAULT_PAGE_SIZE = 50


def time_of(message: Message, field: str) -> datetime | None:
    """Returns a Timestamp field as a time, None where it is not set. Raises FieldViolations where it is no time."""
    if not message.HasField(field):
        return None
    try:
        return to_datetime(getattr(message, field))
    except InvalidInput as error:
        raise FieldViolations([(field, error.message)]) from error


def recording_message(recording: Recording) -> library_pb2.Recording:
    """Returns a recording as the user sees it who asked for it."""
    media = recording.artifact(ArtifactKind.MEDIA)
    duration = recording.duration_seconds
    state = recording.latest_workflow_state.upper()
    return library_pb2.Recording(
        id=recording.id,
        title=recording.title,
        file_name=recording.file_name,
        size_bytes=media.size_bytes if media else 0,
        sha256=media.sha256 if media else "",
        duration=to_duration(duration) if duration is not None else None,
        language=recording.language,
        created_at=to_timestamp(recording.created_at),
        recorded_at=to_timestamp(recording.recorded_at),
        artifacts=[
            *map(_artifact_message, recording.artifacts),
            *map(_failed_artifact_message, recording.failed_artifacts),
        ],
        latest_workflow_id=recording.latest_workflow_id,
        kind=f"RECORDING_KIND_{recording.kind.name}",
        media_type=recording.media_type,
        page_count=recording.page_count,
        tags=recording.tags,
        folder=recording.folder,
        speakers=map(speaker_message, recording.speakers),
        bookmarks=[
            library_pb2.Bookmark(position=to_duration(bookmark.position), label=bookmark.label)
            for bookmark in recording.bookmarks
        ],
        deleted_at=to_timestamp(recording.deleted_at) if recording.deleted_at else None,
        purge_at=to_timestamp(recording.purge_at) if recording.purge_at else None,
        owner=recording.owner,
        access=f"ACCESS_{recording.access.name}",
        latest_workflow_state=f"WORKFLOW_STATE_{state}" if state else None,
        etag=recording.etag,
        title_is_set=recording.title_is_set,
    )


def _artifact_message(artifact: Artifact) -> library_pb2.Artifact:
    return library_pb2.Artifact(
        kind=_kind(artifact.kind),
        size_bytes=artifact.size_bytes,
        created_at=to_timestamp(artifact.created_at),
        model=artifact.model,
        state="ARTIFACT_STATE_STALE" if artifact.stale else "ARTIFACT_STATE_READY",
        made_from=map(_kind, MADE_FROM[artifact.kind]),
        workflow_id=artifact.workflow_id,
        sha256=artifact.sha256,
    )


def _failed_artifact_message(failed: FailedArtifact) -> library_pb2.Artifact:
    return library_pb2.Artifact(
        kind=_kind(failed.kind),
        created_at=to_timestamp(failed.failed_at),
        state="ARTIFACT_STATE_FAILED",
        error=failure_message(Failure(failed.reason, failed.message, failed.metadata)),
        made_from=map(_kind, MADE_FROM[failed.kind]),
        workflow_id=failed.workflow_id,
    )


def _kind(kind: ArtifactKind) -> str:
    return f"ARTIFACT_KIND_{kind.name}"


def speaker_message(speaker: Speaker) -> library_pb2.RecordingSpeaker:
    return library_pb2.RecordingSpeaker(
        label=speaker.label,
        name=speaker.name,
        voice_id=speaker.voice_id,
        voice_similarity=speaker.voice_similarity,
        speech_duration=to_duration(speaker.speech_seconds),
    )


def removed_message(removed: RemovedText) -> stt_pb2.RemovedText:
    return stt_pb2.RemovedText(
        segment=segment_message(removed.segment, words=False),
        reason=f"REMOVAL_REASON_{removed.reason.upper()}",
        detail=removed.detail,
    )


def voice_message(voice: Voice) -> voice_pb2.Voice:
    return voice_pb2.Voice(
        id=voice.id,
        name=voice.name,
        created_at=to_timestamp(voice.created_at),
        recording_id=voice.recording_id,
    )


def options_record(message: workflow_pb2.WorkflowOptions) -> Options:
    return Options(
        language=message.language if message.HasField("language") else None,
        stt_model=message.stt_model,
        llm_model=message.llm_model,
        skip_summary=message.skip_summary,
        skip_index=message.skip_index,
        profile=enum_name(message, "profile"),
        detect_language_per_segment=message.detect_language_per_segment,
        translate=message.translate,
        hotwords=tuple(message.hotwords),
        initial_prompt=message.initial_prompt,
        skip_speakers=message.skip_speakers,
        speaker_count=message.speaker_count,
        channel_mode=enum_name(message, "channel_mode"),
        audio_stream=message.audio_stream if message.HasField("audio_stream") else None,
        template=message.template,
        output_language=message.output_language,
        first_stage=Stage(enum_name(message, "first_stage")) if message.first_stage else None,
        skip_vocabulary=message.skip_vocabulary,
        priority=Priority(enum_name(message, "priority")) if message.priority else Priority.NORMAL,
    )


def options_message(options: Options) -> workflow_pb2.WorkflowOptions:
    return workflow_pb2.WorkflowOptions(
        **{
            **options.to_json(),
            "profile": f"PROFILE_{options.profile.upper()}",
            "channel_mode": f"CHANNEL_MODE_{options.channel_mode.upper()}",
            "first_stage": f"WORKFLOW_STAGE_{options.first_stage.name}" if options.first_stage else None,
            "priority": f"WORKFLOW_PRIORITY_{options.priority.name}",
        }
    )


def failure_message(failure: Failure | None) -> workflow_pb2.WorkflowError | None:
    if failure is None:
        return None
    return workflow_pb2.WorkflowError(
        reason=failure.reason, message=failure.message, metadata=failure.metadata
    )


def workflow_message(workflow: Workflow, outlook: Outlook | None = None) -> workflow_pb2.Workflow:
    remaining = outlook.stages if outlook else {}
    return workflow_pb2.Workflow(
        id=workflow.id,
        recording_id=workflow.recording_id,
        state=f"WORKFLOW_STATE_{workflow.state.name}",
        options=options_message(workflow.options),
        stages=[
            workflow_pb2.StageStatus(
                stage=f"WORKFLOW_STAGE_{status.stage.name}",
                state=f"WORKFLOW_STATE_{status.state.name}",
                percent=status.percent,
                started_at=to_timestamp(status.started_at) if status.started_at else None,
                ended_at=to_timestamp(status.ended_at) if status.ended_at else None,
                remaining=to_duration(remaining[status.stage]) if status.stage in remaining else None,
                waiting_for=failure_message(status.waiting_for),
            )
            for status in workflow.stages
        ],
        error=failure_message(workflow.failure),
        created_at=to_timestamp(workflow.created_at),
        ended_at=to_timestamp(workflow.ended_at) if workflow.ended_at else None,
        last_sequence=workflow.last_sequence,
        remaining=_optional_duration(outlook.remaining if outlook else None),
        queue_position=outlook.queue_position if outlook else 0,
        batch_id=workflow.batch_id,
    )


def _optional_duration(seconds: float | None) -> Duration | None:
    return None if seconds is None else to_duration(seconds)


def event_message(event: Event, remaining: float | None = None) -> workflow_pb2.WorkflowEvent:
    return workflow_pb2.WorkflowEvent(
        sequence=event.sequence,
        time=to_timestamp(event.time),
        stage=f"WORKFLOW_STAGE_{event.stage.name}" if event.stage else None,
        state=f"WORKFLOW_STATE_{event.state.name}",
        percent=event.percent,
        error=failure_message(event.failure),
        remaining=_optional_duration(remaining),
        waiting_for=failure_message(event.waiting_for),
    )
