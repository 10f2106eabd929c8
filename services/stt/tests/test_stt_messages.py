"""From options and events to the contract's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.errors import InvalidInput
from recordroute_stt.diarization.result import Diarization, SpeakerVoice
from recordroute_stt.domain import Removal, RemovalReason, Segment, Turn
from recordroute_stt.engine import DecodingOptions, Profile
from recordroute_stt.postprocess import PostProcessing
from recordroute_stt.servicer import _responses
from recordroute_stt.servicer_messages import decoding_options, transcription_options
from recordroute_stt.transcription import Event, Progress, TranscriptionOptions


def segment(text: str, **values: object) -> Segment:
    return Segment(1.0, 2.0, text, -0.2, 0.1, 1.1, **values)


async def told(*events: Event, with_voices: bool = False) -> list[stt_pb2.TranscribeResponse]:
    async def source() -> AsyncIterator[Event]:
        for event in events:
            yield event

    return [response async for response in _responses(source(), with_voices=with_voices)]


def voice(label: str, **values: object) -> SpeakerVoice:
    return SpeakerVoice(label, 3.0, np.full(192, 192**-0.5, np.float32), **values)


async def test_removed_text_says_before_which_segment_it_stood() -> None:
    removal = Removal(segment("la la la"), RemovalReason.LOOP, "3 repetitions")
    answers = await told(segment("a"), removal, segment("b"))
    assert [answer.WhichOneof("payload") for answer in answers] == ["segment", "removed", "segment"]
    assert [answers[0].segment.index, answers[2].segment.index] == [0, 1]
    removed = answers[1].removed
    assert (removed.segment.index, removed.segment.text) == (1, "la la la")
    assert (removed.reason, removed.detail) == (stt_pb2.REMOVAL_REASON_LOOP, "3 repetitions")


async def test_segments_begin_anew_after_the_speakers() -> None:
    turns = tuple(Turn("S1", float(number), number + 0.5) for number in range(2001))
    found = Diarization(turns, (voice("S1", known_id="anna", similarity=0.9), voice("S2")))
    answers = await told(segment("a"), segment("b"), found, segment("a", speaker="S1"))
    kinds = [answer.WhichOneof("payload") for answer in answers]
    assert kinds == ["segment", "segment", "speakers", "turns", "turns", "turns", "segment"]
    assert [len(answer.turns.turns) for answer in answers[3:6]] == [1000, 1000, 1]
    assert (answers[-1].segment.index, answers[-1].segment.speaker) == (0, "S1")
    one, two = answers[2].speakers.speakers
    assert (one.label, one.voice_id, one.voice_similarity) == ("S1", "anna", pytest.approx(0.9))
    assert (two.voice_id, two.HasField("voice_similarity"), two.embedding) == ("", False, b"")


async def test_voices_are_returned_only_where_they_were_asked_for() -> None:
    found = Diarization((), (voice("S1"),))
    (answer,) = await told(found, with_voices=True)
    returned = np.frombuffer(answer.speakers.speakers[0].embedding, "<f4")
    assert returned.shape == (192,)
    config = stt_pb2.TranscribeConfig(
        diarization=stt_pb2.DiarizationConfig(
            known_voices=[stt_pb2.KnownVoice(id="anna", embedding=returned.tobytes())]
        )
    )
    diarization = transcription_options(config).diarization
    assert diarization is not None
    assert diarization.speaker_count is None
    np.testing.assert_allclose(diarization.known_voices["anna"], returned, rtol=1e-6)


@pytest.mark.parametrize(
    "embedding", [b"\0" * 768, np.full(192, np.nan, "<f4").tobytes(), np.ones(100, "<f4").tobytes()]
)
def test_voices_that_this_service_never_returned(embedding) -> None:
    config = stt_pb2.TranscribeConfig()
    config.diarization.known_voices.add(id="anna", embedding=embedding)
    with pytest.raises(InvalidInput) as caught:
        transcription_options(config)
    assert caught.value.reason == "UNSUPPORTED_OPTION"


def test_two_voices_of_one_id() -> None:
    config = stt_pb2.TranscribeConfig()
    for _ in range(2):
        config.diarization.known_voices.add(id="anna", embedding=np.ones(192, "<f4").tobytes())
    with pytest.raises(InvalidInput) as caught:
        transcription_options(config)
    assert caught.value.reason == "UNSUPPORTED_OPTION"


async def test_progress_that_comes_too_fast_is_left_out() -> None:
    answers = await told(*(Progress(float(second), 100.0) for second in range(101)))
    processed = [answer.progress.processed.seconds for answer in answers]
    assert processed[0] == 0
    assert processed[-1] == 100
    assert len(processed) < 50


def test_nothing_set_is_the_default() -> None:
    config = stt_pb2.TranscribeConfig()
    assert decoding_options(config) == DecodingOptions()
    assert transcription_options(config) == TranscriptionOptions()


def test_every_option_is_read() -> None:
    config = stt_pb2.TranscribeConfig(
        language="ko",
        beam_size=3,
        word_timestamps=True,
        profile=stt_pb2.PROFILE_ACCURATE,
        translate=True,
        hotwords=["ComfyUI"],
        initial_prompt="Minutes.",
        diarization=stt_pb2.DiarizationConfig(speaker_count=2),
        channel_mode=stt_pb2.CHANNEL_MODE_SEPARATE,
        audio_stream=1,
        post_processing=stt_pb2.PostProcessing(silence_gate=False, merge_segments=False),
    )
    assert decoding_options(config) == DecodingOptions(
        language="ko",
        profile=Profile.ACCURATE,
        beam_size=3,
        word_timestamps=True,
        translate=True,
        hotwords=("ComfyUI",),
        initial_prompt="Minutes.",
    )
    options = transcription_options(config)
    assert (options.separate_channels, options.audio_stream) == (True, 1)
    assert options.post_processing == PostProcessing(silence_gate=False, merge_segments=False)
    assert options.diarization is not None
    assert options.diarization.speaker_count == 2
    anew = stt_pb2.TranscribeConfig(detect_language_per_segment=True)
    assert transcription_options(anew).language_per_window
