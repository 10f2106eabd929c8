"""The messages of stt.v1.SttService for recordings, from and to what the rest of the package uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recordroute.common.v1 import transcript_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.wire import to_duration

from recordroute_stt.diarization import Diarization, SpeakerVoice
from recordroute_stt.diarization.networks import EMBEDDING_SIZE
from recordroute_stt.domain import Language, Removal, RemovalReason, Segment, Turn
from recordroute_stt.engine import DecodingOptions, Profile
from recordroute_stt.media import MediaProperties
from recordroute_stt.postprocess import PostProcessing
from recordroute_stt.speakers import DiarizationOptions
from recordroute_stt.transcription import Progress, Stats, TranscriptionOptions

MAX_TURNS = 1000

_PROFILES = {
    stt_pb2.PROFILE_UNSPECIFIED: Profile.BALANCED,
    stt_pb2.PROFILE_FAST: Profile.FAST,
    stt_pb2.PROFILE_BALANCED: Profile.BALANCED,
    stt_pb2.PROFILE_ACCURATE: Profile.ACCURATE,
}
_REASONS = {
    RemovalReason.NO_SPEECH: stt_pb2.REMOVAL_REASON_NO_SPEECH,
    RemovalReason.UNINTELLIGIBLE: stt_pb2.REMOVAL_REASON_UNINTELLIGIBLE,
    RemovalReason.LOOP: stt_pb2.REMOVAL_REASON_LOOP,
}


def decoding_options(config: stt_pb2.TranscribeConfig) -> DecodingOptions:
    """Returns how windows are decoded."""
    return DecodingOptions(
        language=config.language if config.HasField("language") else None,
        profile=_PROFILES[config.profile],
        beam_size=config.beam_size if config.HasField("beam_size") else None,
        word_timestamps=config.word_timestamps,
        translate=config.translate,
        hotwords=tuple(config.hotwords),
        initial_prompt=config.initial_prompt,
    )


def transcription_options(config: stt_pb2.TranscribeConfig) -> TranscriptionOptions:
    """Returns how the recording is transcribed. Raises InvalidInput (UNSUPPORTED_OPTION) for unusable voices."""
    return TranscriptionOptions(
        language_per_window=config.detect_language_per_segment,
        separate_channels=config.channel_mode == stt_pb2.CHANNEL_MODE_SEPARATE,
        audio_stream=config.audio_stream if config.HasField("audio_stream") else None,
        post_processing=_post_processing(config.post_processing),
        diarization=_diarization(config.diarization) if config.HasField("diarization") else None,
    )


def _post_processing(message: stt_pb2.PostProcessing) -> PostProcessing:
    def wanted(step: str) -> bool:
        return bool(getattr(message, step)) if message.HasField(step) else True

    return PostProcessing(
        silence_gate=wanted("silence_gate"),
        remove_loops=wanted("remove_loops"),
        merge_segments=wanted("merge_segments"),
        normalise_spacing=wanted("normalise_spacing"),
    )


def _diarization(message: stt_pb2.DiarizationConfig) -> DiarizationOptions:
    voices = {voice.id: _voice(voice) for voice in message.known_voices}
    if len(voices) < len(message.known_voices):
        raise InvalidInput("UNSUPPORTED_OPTION", "two of the known voices have the same id")
    return DiarizationOptions(speaker_count=message.speaker_count or None, known_voices=voices)


def _voice(message: stt_pb2.KnownVoice) -> NDArray[np.float32]:
    if len(message.embedding) == 4 * EMBEDDING_SIZE:
        voice = np.frombuffer(message.embedding, "<f4").astype(np.float32)
        length = float(np.linalg.norm(voice))
        if np.isfinite(length) and length > 0:
            return voice / length
    raise InvalidInput(
        "UNSUPPORTED_OPTION",
        f'known voice "{message.id}" is not one that this service returned',
        metadata={"voice_id": message.id},
    )


def language_message(language: Language) -> stt_pb2.DetectedLanguage:
    return stt_pb2.DetectedLanguage(language=language.code, probability=language.probability)


def segment_message(index: int, segment: Segment) -> transcript_pb2.Segment:
    return transcript_pb2.Segment(
        index=index,
        start=to_duration(segment.start),
        end=to_duration(segment.end),
        text=segment.text,
        speaker=segment.speaker,
        words=[
            transcript_pb2.Word(
                text=word.text,
                start=to_duration(word.start),
                end=to_duration(word.end),
                probability=word.probability,
            )
            for word in segment.words
        ],
        average_log_probability=_known(segment.average_log_probability),
        no_speech_probability=_known(segment.no_speech_probability),
        language=segment.language,
        channel=segment.channel,
    )


def _known(score: float) -> float | None:
    return None if isnan(score) else score


def removed_message(index: int, removal: Removal) -> stt_pb2.RemovedText:
    return stt_pb2.RemovedText(
        segment=segment_message(index, removal.segment),
        reason=_REASONS[removal.reason],
        detail=removal.detail,
    )


def speakers_message(speakers: Iterable[SpeakerVoice], *, with_voices: bool) -> stt_pb2.Speakers:
    return stt_pb2.Speakers(
        speakers=[
            stt_pb2.Speaker(
                label=speaker.label,
                voice_id=speaker.known_id or "",
                voice_similarity=speaker.similarity,
                speech_duration=to_duration(speaker.speech_seconds),
                embedding=speaker.embedding.astype("<f4").tobytes() if with_voices else b"",
            )
            for speaker in speakers
        ]
    )


def turns_messages(turns: tuple[Turn, ...]) -> Iterator[stt_pb2.SpeakerTurns]:
    for first in range(0, len(turns), MAX_TURNS):
        yield stt_pb2.SpeakerTurns(
            turns=[
                stt_pb2.SpeakerTurn(
                    speaker=turn.speaker, start=to_duration(turn.start), end=to_duration(turn.end)
                )
                for turn in turns[first : first + MAX_TURNS]
            ]
        )


def diarization_responses(found: Diarization, *, with_voices: bool) -> Iterator[stt_pb2.TranscribeResponse]:
    yield stt_pb2.TranscribeResponse(speakers=speakers_message(found.speakers, with_voices=with_voices))
    for turns in turns_messages(found.turns):
        yield stt_pb2.TranscribeResponse(turns=turns)


def _optional_duration(seconds: float | None) -> Any:
    return None if seconds is None else to_duration(seconds)


def progress_message(progress: Progress) -> stt_pb2.TranscribeProgress:
    return stt_pb2.TranscribeProgress(
        processed=to_duration(progress.processed), total=_optional_duration(progress.total)
    )


def media_message(media: MediaProperties) -> stt_pb2.MediaInfo:
    return stt_pb2.MediaInfo(
        container=media.container,
        codec=media.codec,
        duration=_optional_duration(media.duration),
        sample_rate_hertz=media.sample_rate_hertz,
        channels=media.channels,
    )


def stats_message(stats: Stats) -> stt_pb2.TranscribeStats:
    return stt_pb2.TranscribeStats(
        audio_duration=to_duration(stats.audio_seconds),
        speech_duration=to_duration(stats.speech_seconds),
        processing_time=to_duration(stats.processing_seconds),
        segment_count=stats.segment_count,
        model=stats.model,
        warnings=[damage.message for damage in stats.damages],
        damages=[
            transcript_pb2.MediaDamage(reason=damage.reason, message=damage.message, metadata=damage.metadata)
            for damage in stats.damages
        ],
    )
