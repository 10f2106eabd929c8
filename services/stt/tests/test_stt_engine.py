"""The Whisper engine on real speech."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import InstalledModel, find_model
from recordroute_stt.engine import (
    SAMPLE_RATE,
    DecodingOptions,
    Language,
    Profile,
    WindowTranscript,
)
from recordroute_stt.engines.whisper import BEAM_SIZE, WhisperEngine, attempts
from recordroute_stt.engines.whisper_tokens import CONTEXT_TOKENS

ENGLISH = DecodingOptions(language="en")
Decode = Callable[[Path], np.ndarray]


def go_on() -> bool:
    return False


def text_of(transcript: WindowTranscript) -> str:
    return " ".join(segment.text for segment in transcript.segments)


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    ("name", "limit"),
    [("jfk.flac", 0.0), ("librivox_0870.wav", 0.1), ("librivox_0880.wav", 0.13), ("librivox_0890.wav", 0.1)],
)
def test_base_model_writes_what_is_said(
    name, limit, profile, base, data: Path, decode: Decode, references, word_error_rate
) -> None:
    options = DecodingOptions(language="en", profile=profile)
    text = text_of(base.transcribe(decode(data / name), options, go_on))
    assert word_error_rate(references[name], text) <= limit, text


@pytest.mark.parametrize("engine", ["base", "tiny"])
def test_words_have_times_within_their_segment(
    engine, request: pytest.FixtureRequest, data: Path, decode: Decode
) -> None:
    audio = decode(data / "jfk.flac")
    options = DecodingOptions(language="en", word_timestamps=True)
    segments = request.getfixturevalue(engine).transcribe(audio, options, go_on).segments
    words = [word for segment in segments for word in segment.words]
    assert len(words) == 22
    for segment in segments:
        assert "".join(word.text for word in segment.words).strip() == segment.text
        assert segment.start == segment.words[0].start
        assert segment.end == segment.words[-1].end
    assert all(0 <= word.start <= word.end <= 11.0 and 0 <= word.probability <= 1 for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    assert words[0].start < 0.6
    assert words[-1].end == pytest.approx(10.5, abs=0.3)
    country = next(word for word in words if "country" in word.text)
    assert country.start == pytest.approx(5.8, abs=0.3)


def test_windows_decoded_together_are_like_windows_alone(base, data: Path, decode: Decode) -> None:
    names = ("librivox_0870.wav", "librivox_0880.wav", "librivox_0890.wav", "jfk.flac")
    audios = [decode(data / name) for name in names]
    options = DecodingOptions(language="en", profile=Profile.FAST, word_timestamps=True)
    together = base.transcribe_batch(audios, options, go_on)
    alone = [base.transcribe(audio, options, go_on) for audio in audios]
    assert [text_of(window).lower() for window in together] == [text_of(window).lower() for window in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.segments[-1].end == pytest.approx(other.segments[-1].end, abs=0.3)


def test_language_is_detected_with_the_window(base, data: Path, decode: Decode) -> None:
    audio = decode(data / "multilingual.mp3")
    english, german = base.transcribe_batch(
        [audio[: 8 * SAMPLE_RATE], audio[40 * SAMPLE_RATE : 48 * SAMPLE_RATE]], DecodingOptions(), go_on
    )
    assert (english.language.code, german.language.code) == ("en", "de")
    assert german.segments[0].language == "de"
    assert "software" in text_of(english).lower()
    assert " recht" in text_of(german).lower()


def test_german_is_translated(base, data: Path, decode: Decode) -> None:
    audio = decode(data / "multilingual.mp3")[40 * SAMPLE_RATE : 48 * SAMPLE_RATE]
    options = DecodingOptions(language="de", translate=True)
    assert " the " in f" {text_of(base.transcribe(audio, options, go_on)).lower()} "


def test_hotwords_and_prompt_reach_the_decoder(base, data: Path, decode: Decode) -> None:
    audio = decode(data / "hotwords.mp3")
    assert "ComfyUI" not in text_of(base.transcribe(audio, ENGLISH, go_on))
    hotwords = DecodingOptions(language="en", hotwords=("ComfyUI",))
    assert text_of(base.transcribe(audio, hotwords, go_on)).count("ComfyUI") == 2
    prompt = DecodingOptions(language="en", initial_prompt="This is about ComfyUI.")
    assert "ComfyUI" in text_of(base.transcribe(audio, prompt, go_on))
    many = DecodingOptions(language="en", hotwords=("ComfyUI",) * 300, initial_prompt="He said. " * 300)
    assert "folder" in text_of(base.transcribe(audio, many, go_on))


def test_times_of_a_window_with_speech_marked(tiny, data: Path, decode: Decode) -> None:
    audio = decode(data / "jfk.flac")
    voiced = np.ones(len(audio) // 512, np.bool_)
    assert text_of(tiny.transcribe(audio, ENGLISH, go_on, voiced)) == text_of(
        tiny.transcribe(audio, ENGLISH, go_on)
    )


def test_languages_are_told_apart(base, tiny, data: Path, decode: Decode) -> None:
    audio = decode(data / "multilingual.mp3")
    assert base.detect_languages(audio[: 10 * SAMPLE_RATE])[0].code == "en"
    german, *others = base.detect_languages(audio[32 * SAMPLE_RATE :])
    assert german.code == "de"
    assert german.probability > 0.5
    assert german.probability + sum(other.probability for other in others) == pytest.approx(1, abs=0.01)
    assert tiny.detect_languages(audio) == (Language("en", 1.0),)


def test_languages_of_the_models(base, tiny) -> None:
    assert {"en", "ko", "ja", "de"} <= base.languages
    assert len(base.languages) == 99
    assert tiny.languages == {"en"}


def test_english_model_writes_english_whatever_it_is_told(tiny, data: Path, decode: Decode) -> None:
    options = DecodingOptions(language="ko", translate=True)
    transcript = tiny.transcribe(decode(data / "librivox_0880.wav"), options, go_on)
    assert transcript.language == Language("en", 1.0)
    assert "young man" in text_of(transcript)


def test_stops_before_the_first_attempt(base, data: Path, decode: Decode) -> None:
    audio = decode(data / "jfk.flac")
    assert base.transcribe(audio, ENGLISH, lambda: True).segments == ()
    nothing = base.transcribe(audio, DecodingOptions(), lambda: True)
    assert nothing == WindowTranscript(Language("und", 0.0), ())


def test_stops_between_attempts(tiny) -> None:
    asked = 0

    def after_the_first() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    tiny.transcribe(clicks(), ENGLISH, after_the_first)
    assert asked <= 2 * len(attempts(Profile.BALANCED, None))


def clicks() -> np.ndarray:
    random = np.random.default_rng(3)
    count = 30 * SAMPLE_RATE
    return ((random.random(count) < 1 / 4000) * random.normal(0, 0.8, count)).astype(np.float32)


class Counting:
    """A model that notes what each decode may cost: beams times tokens."""

    def __init__(self, model) -> None:
        self.decodes: list[int] = []
        self._model = model

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def generate(self, *arguments, **options):
        self.decodes.append(options["beam_size"] * options["max_length"])
        return self._model.generate(*arguments, **options)


@pytest.mark.parametrize("profile", Profile)
def test_noise_costs_a_few_decodes_at_most(profile, tiny, monkeypatch) -> None:
    counting = Counting(tiny._whisper)
    monkeypatch.setattr(tiny, "_whisper", counting)
    tiny.transcribe(clicks(), DecodingOptions(language="en", profile=profile), go_on)
    assert 1 <= len(counting.decodes) <= len(attempts(profile, None)) <= 4
    assert max(counting.decodes) <= BEAM_SIZE * CONTEXT_TOKENS


def test_very_short_and_empty_windows(tiny) -> None:
    for samples in (0, 1, 160, 1_000):
        transcript = tiny.transcribe(np.zeros(samples, np.float32), ENGLISH, go_on)
        assert all(segment.end <= samples / SAMPLE_RATE for segment in transcript.segments)


def test_model_without_its_files_is_missing(tmp_path: Path) -> None:
    model = InstalledModel("half", "stt", tmp_path, (), "", 0, {})
    with pytest.raises(ModelMissing) as caught:
        WhisperEngine(model, workers=1)
    assert "recordroute models pull half" in caught.value.message


def test_broken_model_says_how_to_mend_it(models_dir: Path, tmp_path: Path) -> None:
    installed = find_model(models_dir, "faster-whisper-tiny.en")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes((installed.path / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((installed.path / "model.bin").read_bytes()[:100_000])
    (tmp_path / "model.json").write_text(json.dumps({"task": "stt"}))
    with pytest.raises(PreconditionFailed) as caught:
        WhisperEngine(find_model(tmp_path.parent, tmp_path.name), workers=1)
    assert caught.value.reason == "MODEL_BROKEN"
    assert "recordroute models verify" in caught.value.message
