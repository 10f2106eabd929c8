"""Diarization of real speech."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from recordroute_runtime.errors import InvalidInput
from recordroute_stt.diarization import Diarization, Diarizer, SpeakerVoice, voices_by_channel
from recordroute_stt.diarization.clustering import MAX_VOICES, assign, find_voices
from recordroute_stt.diarization.known_voices import MIN_SIMILARITY, MIN_SPEECH_SECONDS, recognise
from recordroute_stt.diarization.networks import (
    CHUNK_FRAMES,
    CHUNK_SAMPLES,
    EMBEDDING_SIZE,
    LOCAL_SPEAKERS,
    SegmentationNetwork,
    SpeakerNetwork,
    filter_bank,
)
from recordroute_stt.domain import Turn
from recordroute_stt.engine import SAMPLE_RATE, Samples

Decode = Callable[[Path], Samples]
STEP = 0.01


@pytest.fixture(scope="module")
def diarizer() -> Diarizer:
    return Diarizer()


@pytest.fixture(scope="module")
def conversation(data: Path, decode: Decode) -> Samples:
    return decode(data / "conversation_30s.flac")


@pytest.fixture(scope="module")
def told(diarizer: Diarizer, conversation: Samples) -> Diarization:
    return diarize(diarizer, conversation)


@pytest.fixture(scope="module")
def reference(data: Path) -> list[Turn]:
    fields = [line.split() for line in (data / "conversation_30s.rttm").read_text().splitlines()]
    return [Turn(line[7], float(line[3]), float(line[3]) + float(line[4])) for line in fields]


def diarize(
    diarizer: Diarizer, audio: Samples, *, block: int = 5 * SAMPLE_RATE, count: int | None = None
) -> Diarization:
    run = diarizer.start()
    for start in range(0, len(audio), block):
        run.feed(audio[start : start + block])
    return run.finish(speaker_count=count)


def activity(turns: list[Turn], speaker: str, seconds: float) -> NDArray[np.bool_]:
    """Whether somebody speaks, at steps of 10 ms."""
    times = np.arange(0, seconds, STEP)
    active = np.zeros(len(times), np.bool_)
    for turn in turns:
        if turn.speaker == speaker:
            active |= (times >= turn.start) & (times < turn.end)
    return active


def test_two_people_on_the_telephone(told: Diarization, reference: list[Turn]) -> None:
    assert [speaker.label for speaker in told.speakers] == ["S1", "S2"]
    wrong = total = 0
    # Who speaks first in the reference has to be S1.
    for label, name in zip(("S1", "S2"), dict.fromkeys(turn.speaker for turn in reference), strict=True):
        expected = activity(reference, name, 30)
        found = activity(list(told.turns), label, 30)
        # Where somebody starts and stops is a matter of opinion.
        edges = np.convolve(np.abs(np.diff(expected.astype(int), prepend=0)), np.ones(51), "same") > 0
        wrong += int(((expected != found) & ~edges).sum())
        total += int(expected.sum())
    assert wrong / total < 0.05


def test_overlapped_speech_has_both_speakers(told: Diarization, reference: list[Turn]) -> None:
    both = np.logical_and(*(activity(reference, name, 30) for name in ("speaker90", "speaker91")))
    found = np.logical_and(*(activity(list(told.turns), label, 30) for label in ("S1", "S2")))
    assert (both & found).sum() / both.sum() > 0.3


def test_turns_are_ordered_and_within_the_recording(told: Diarization) -> None:
    assert list(told.turns) == sorted(told.turns, key=lambda turn: turn.start)
    assert all(0 <= turn.start < turn.end <= 30 for turn in told.turns)
    for speaker in told.speakers:
        own = sum(turn.end - turn.start for turn in told.turns if turn.speaker == speaker.label)
        assert speaker.speech_seconds == pytest.approx(own)
        assert np.linalg.norm(speaker.embedding) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("block", [1_600, 7_919, 30 * SAMPLE_RATE])
def test_the_size_of_blocks_does_not_matter(
    diarizer: Diarizer, conversation: Samples, told: Diarization, block: int
) -> None:
    assert diarize(diarizer, conversation, block=block).turns == told.turns


def test_one_reader_is_one_person(diarizer: Diarizer, data: Path, decode: Decode) -> None:
    sentences = [decode(data / f"librivox_{name}.wav") for name in ("0870", "0880", "0890")]
    found = diarize(diarizer, np.concatenate(sentences))
    assert [speaker.label for speaker in found.speakers] == ["S1"]
    assert 11 < found.speakers[0].speech_seconds < 15.4


def test_the_number_of_people_can_be_told(diarizer: Diarizer, conversation: Samples) -> None:
    assert len(diarize(diarizer, conversation, count=1).speakers) == 1
    assert len(diarize(diarizer, conversation, count=2).speakers) == 2


@pytest.mark.parametrize("seconds", [0, 0.01, 0.5, 12])
def test_nobody_speaks_in_silence(diarizer: Diarizer, seconds: float) -> None:
    assert diarize(diarizer, np.zeros(int(seconds * SAMPLE_RATE), np.float32)) == Diarization((), ())


def test_a_single_word_is_a_turn(diarizer: Diarizer, data: Path, decode: Decode) -> None:
    found = diarize(diarizer, decode(data / "librivox_0880.wav")[: 2 * SAMPLE_RATE])
    assert [speaker.label for speaker in found.speakers] == ["S1"]


def test_a_known_voice_is_recognised_in_another_recording(
    diarizer: Diarizer, data: Path, decode: Decode
) -> None:
    reader = diarize(diarizer, decode(data / "librivox_0870.wav")).speakers[0]
    kennedy = diarize(diarizer, decode(data / "jfk.flac"), count=1).speakers[0]
    run = diarizer.start()
    run.feed(decode(data / "librivox_0890.wav"))
    known = {"reader": 3 * reader.embedding, "kennedy": kennedy.embedding}
    (speaker,) = run.finish(known_voices=known).speakers
    assert speaker.known_id == "reader"
    assert speaker.similarity is not None
    assert MIN_SIMILARITY <= speaker.similarity < 1

    run = diarizer.start()
    run.feed(decode(data / "librivox_0890.wav"))
    (speaker,) = run.finish(known_voices={"kennedy": kennedy.embedding}).speakers
    assert (speaker.known_id, speaker.similarity) == (None, None)


def axis(*weights: float) -> NDArray[np.float32]:
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    vector[: len(weights)] = weights
    return vector / np.float32(np.linalg.norm(vector))


def test_each_known_voice_is_one_speaker() -> None:
    speakers = [SpeakerVoice("S1", 20, axis(1, 0.2)), SpeakerVoice("S2", 20, axis(1, 0.1))]
    named = recognise(speakers, {"anna": axis(1, 0)})
    assert [speaker.known_id for speaker in named] == [None, "anna"]
    named = recognise(speakers, {"anna": axis(1, 0), "bert": axis(1, 0.3)})
    assert [speaker.known_id for speaker in named] == ["bert", "anna"]


def test_little_speech_names_nobody() -> None:
    short = SpeakerVoice("S1", MIN_SPEECH_SECONDS - 0.1, axis(1))
    assert recognise([short], {"anna": axis(1)})[0].known_id is None


@pytest.mark.parametrize(
    "voice", [np.ones(16), np.zeros(EMBEDDING_SIZE), np.full(EMBEDDING_SIZE, np.nan), np.ones((2, 96))]
)
def test_a_voice_of_another_network_is_refused(voice: NDArray[np.float64]) -> None:
    with pytest.raises(InvalidInput) as error:
        recognise([], {"anna": voice.astype(np.float32)})
    assert error.value.reason == "VOICE_UNREADABLE"


def test_channels_are_people(diarizer: Diarizer, data: Path, decode: Decode) -> None:
    first, second = decode(data / "librivox_0880.wav"), decode(data / "jfk.flac")
    later = np.concatenate([np.zeros(len(first), np.float32), second])
    channels = [diarize(diarizer, audio, count=1) for audio in (later, np.zeros_like(later), first)]
    voices = voices_by_channel(channels, {"kennedy": channels[0].speakers[0].embedding})
    assert voices.labels == ("S2", "", "S1")
    assert [speaker.label for speaker in voices.diarization.speakers] == ["S1", "S2"]
    assert [speaker.known_id for speaker in voices.diarization.speakers] == [None, "kennedy"]
    starts = [turn.start for turn in voices.diarization.turns]
    assert starts == sorted(starts)
    assert {turn.speaker for turn in voices.diarization.turns if turn.end < 3} == {"S1"}


def test_memory_does_not_grow_with_silence(diarizer: Diarizer) -> None:
    run = diarizer.start()
    block = np.zeros(5 * SAMPLE_RATE, np.float32)
    for _ in range(4):
        run.feed(block)
    tracemalloc.start()
    for _ in range(24):
        run.feed(block)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Two minutes of audio are 7.7 MB; a byte for each frame is 7 kB.
    assert grown < 1_000_000 + 3 * CHUNK_SAMPLES * 4


def synthetic(people: int, windows: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Windows in turns of ten; distances within (0.36) and between people (0.64) are those of real speech."""
    generator = np.random.default_rng(0)
    common, *own = generator.normal(size=(people + 1, EMBEDDING_SIZE))
    voices = np.sqrt(0.56) * common + np.sqrt(0.44) * np.stack(own)
    owners = np.repeat(generator.integers(people, size=windows // 10), 10)
    noisy = voices[owners] + 0.75 * generator.normal(size=(len(owners), EMBEDDING_SIZE))
    return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32), owners


def test_ten_hours_of_ten_people_are_clustered() -> None:
    windows, owners = synthetic(10, 48_000)
    assert len(windows) > 10 * MAX_VOICES
    voices = find_voices(windows, threshold=0.5, count=None)
    assert len(voices) == 10
    found = assign(windows, np.ones(len(windows), np.float32), np.zeros(len(windows), np.bool_), voices, 0.05)
    pairs = {(int(a), int(b)) for a, b in zip(owners, found, strict=True)}
    assert len(pairs) == 10


def test_networks_answer_in_the_documented_shapes(conversation: Samples) -> None:
    active = SegmentationNetwork(threads=1)(conversation[5 * SAMPLE_RATE : 5 * SAMPLE_RATE + CHUNK_SAMPLES])
    assert active.shape == (CHUNK_FRAMES, LOCAL_SPEAKERS)
    assert active.any()
    assert active.sum(axis=1).max() <= 2
    features = filter_bank(conversation[: 2 * SAMPLE_RATE])
    assert features.shape == (198, 80)
    assert SpeakerNetwork(threads=1)(features).shape == (EMBEDDING_SIZE,)
