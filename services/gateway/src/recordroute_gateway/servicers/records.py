"""The library's records as messages of the contract."""

from __future__ import annotations

from recordroute.gateway.v1 import library_pb2, voice_pb2, workflow_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.wire import enum_name, to_duration, to_timestamp

from recordroute_gateway.clients.segments import segment_message
from recordroute_gateway.library.records import ArtifactKind, Recording, RemovedText, Speaker
from recordroute_gateway.library.voices import Voice
from recordroute_gateway.workflow.records import Event, Failure, Options, Workflow

DEFAULT_PAGE_SIZE = 50


def recording_message(recording: Recording) -> library_pb2.Recording:
    media = recording.artifact(ArtifactKind.MEDIA)
    duration = recording.duration_seconds
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
            library_pb2.Artifact(
                kind=f"ARTIFACT_KIND_{artifact.kind.name}",
                size_bytes=artifact.size_bytes,
                created_at=to_timestamp(artifact.created_at),
                model=artifact.model,
            )
            for artifact in recording.artifacts
        ],
        latest_workflow_id=recording.latest_workflow_id,
    )


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
    )


def _options_message(options: Options) -> workflow_pb2.WorkflowOptions:
    return workflow_pb2.WorkflowOptions(
        **{
            **options.to_json(),
            "profile": f"PROFILE_{options.profile.upper()}",
            "channel_mode": f"CHANNEL_MODE_{options.channel_mode.upper()}",
        }
    )


def _failure_message(failure: Failure | None) -> workflow_pb2.WorkflowError | None:
    return workflow_pb2.WorkflowError(reason=failure.reason, message=failure.message) if failure else None


def workflow_message(workflow: Workflow) -> workflow_pb2.Workflow:
    return workflow_pb2.Workflow(
        id=workflow.id,
        recording_id=workflow.recording_id,
        state=f"WORKFLOW_STATE_{workflow.state.name}",
        options=_options_message(workflow.options),
        stages=[
            workflow_pb2.StageStatus(
                stage=f"WORKFLOW_STAGE_{status.stage.name}",
                state=f"WORKFLOW_STATE_{status.state.name}",
                percent=status.percent,
                started_at=to_timestamp(status.started_at) if status.started_at else None,
                ended_at=to_timestamp(status.ended_at) if status.ended_at else None,
            )
            for status in workflow.stages
        ],
        error=_failure_message(workflow.failure),
        created_at=to_timestamp(workflow.created_at),
        ended_at=to_timestamp(workflow.ended_at) if workflow.ended_at else None,
        last_sequence=workflow.last_sequence,
    )


def event_message(event: Event) -> workflow_pb2.WorkflowEvent:
    return workflow_pb2.WorkflowEvent(
        sequence=event.sequence,
        time=to_timestamp(event.time),
        stage=f"WORKFLOW_STAGE_{event.stage.name}" if event.stage else None,
        state=f"WORKFLOW_STATE_{event.state.name}",
        percent=event.percent,
        error=_failure_message(event.failure),
    )
