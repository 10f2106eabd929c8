"""The gateway's client of the stt service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import grpc.aio
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.wire import enum_name, to_seconds

from recordroute_gateway.clients.segments import segment_record
from recordroute_gateway.library.records import Damage, RemovedText, Segment, Speaker, Transcript
from recordroute_gateway.library.voices import Voice
from recordroute_gateway.workflow.records import Options


@dataclass(frozen=True)
class Transcription:
    """A transcript, and the voices of its speakers by label where they were asked for."""

    transcript: Transcript
    voices: Mapping[str, bytes]


class SttClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = stt_pb2_grpc.SttServiceStub(channel)

    async def transcribe(
        self,
        media: AsyncIterator[bytes],
        options: Options,
        *,
        known_voices: Sequence[Voice] | None,
        expected_seconds: float | None,
        report: Callable[[float], Awaitable[None]],
    ) -> Transcription:
        """Transcribes a file's bytes with word times. `known_voices` None: voices are neither recognised nor
        returned."""

        async def requests() -> AsyncIterator[stt_pb2.TranscribeRequest]:
            yield stt_pb2.TranscribeRequest(config=_config(options, known_voices))
            async for chunk in media:
                yield stt_pb2.TranscribeRequest(audio_chunk=chunk)

        segments: list[Segment] = []
        removed: list[RemovedText] = []
        speakers: Sequence[stt_pb2.Speaker] = ()
        detected, stats = stt_pb2.DetectedLanguage(), stt_pb2.TranscribeStats()
        total = expected_seconds
        async for response in self._stub.Transcribe(requests()):
            match response.WhichOneof("payload"):
                case "media_info" if response.media_info.HasField("duration"):
                    total = to_seconds(response.media_info.duration)
                case "language":
                    detected = response.language
                case "progress":
                    if response.progress.HasField("total"):
                        total = to_seconds(response.progress.total)
                    if total:
                        await report(min(99.0, 100 * to_seconds(response.progress.processed) / total))
                case "segment":
                    segments.append(segment_record(response.segment))
                case "removed":
                    removed.append(_removed_record(response.removed))
                case "speakers":
                    # The segments come once more, with their speakers.
                    speakers, segments = response.speakers.speakers, []
                case "stats":
                    stats = response.stats
        names = {voice.id: voice.name for voice in known_voices or ()}
        transcript = Transcript(
            language=detected.language or _commonest_language(segments),
            language_probability=detected.probability,
            duration=to_seconds(stats.audio_duration),
            model=stats.model,
            segments=tuple(segments),
            warnings=tuple(stats.warnings),
            damages=tuple(
                Damage(damage.reason, damage.message, dict(damage.metadata)) for damage in stats.damages
            ),
            speakers=tuple(
                Speaker(
                    label=speaker.label,
                    speech_seconds=to_seconds(speaker.speech_duration),
                    name=names.get(speaker.voice_id, ""),
                    voice_id=speaker.voice_id,
                    voice_similarity=(
                        speaker.voice_similarity if speaker.HasField("voice_similarity") else None
                    ),
                )
                for speaker in speakers
            ),
            removed=tuple(removed),
        )
        return Transcription(
            transcript, {speaker.label: speaker.embedding for speaker in speakers if speaker.embedding}
        )


def _config(options: Options, known_voices: Sequence[Voice] | None) -> stt_pb2.TranscribeConfig:
    diarization = stt_pb2.DiarizationConfig(
        speaker_count=options.speaker_count,
        known_voices=[
            stt_pb2.KnownVoice(id=voice.id, embedding=voice.embedding) for voice in known_voices or ()
        ],
        return_voices=known_voices is not None,
    )
    return stt_pb2.TranscribeConfig(
        language=options.language,
        model=options.stt_model,
        word_timestamps=True,
        profile=f"PROFILE_{options.profile.upper()}",
        detect_language_per_segment=options.detect_language_per_segment,
        translate=options.translate,
        hotwords=options.hotwords,
        initial_prompt=options.initial_prompt,
        diarization=None if options.skip_speakers else diarization,
        channel_mode=f"CHANNEL_MODE_{options.channel_mode.upper()}",
        audio_stream=options.audio_stream,
    )


def _removed_record(removed: stt_pb2.RemovedText) -> RemovedText:
    return RemovedText(segment_record(removed.segment), enum_name(removed, "reason"), removed.detail)


def _commonest_language(segments: Sequence[Segment]) -> str:
    """Returns the language that is spoken longest: what a recording in several languages is filed under."""
    seconds: dict[str, float] = {}
    for segment in segments:
        seconds[segment.language] = seconds.get(segment.language, 0.0) + segment.end - segment.start
    return max(seconds, key=lambda language: seconds[language], default="")
