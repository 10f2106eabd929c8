"""The Whisper engine on real speech."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import InstalledModel, find_model
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Language
from recordroute_stt.engines.faster_whisper import FasterWhisperEngine

OPTIONS = DecodingOptions(beam_size=5)
Decode = Callable[[Path], np.ndarray]


def go_on() -> bool:
    return False


@pytest.mark.parametrize(
    ("name", "limit"),
    [("jfk.flac", 0.0), ("librivox_0870.wav", 0.1), ("librivox_0880.wav", 0.0), ("librivox_0890.wav", 0.1)],
)
def test_base_model_writes_what_is_said(
    name, limit, base, data: Path, decode: Decode, references, word_error_rate
) -> None:
    segments = base.transcribe(decode(data / name), "en", OPTIONS, go_on)
    text = " ".join(segment.text for segment in segments)
    assert word_error_rate(references[name], text) <= limit, text


def test_words_have_times_within_their_segment(tiny, data: Path, decode: Decode) -> None:
    audio = decode(data / "jfk.flac")
    segments = tiny.transcribe(audio, "en", DecodingOptions(beam_size=1, word_timestamps=True), go_on)
    words = [word for segment in segments for word in segment.words]
    assert len(words) == 22
    assert "".join(word.text for word in words).split() == " ".join(s.text for s in segments).split()
    assert all(word.start <= word.end <= 11.0 and 0 <= word.probability <= 1 for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert words[-1].end == pytest.approx(10.6, abs=0.5)


def test_languages_are_told_apart(base, tiny, data: Path, decode: Decode) -> None:
    audio = decode(data / "multilingual.mp3")
    assert base.detect_language(audio[: 10 * SAMPLE_RATE]).code == "en"
    german = base.detect_language(audio[32 * SAMPLE_RATE :])
    assert german.code == "de"
    assert german.probability > 0.5
    assert tiny.detect_language(audio) == Language("en", 1.0)


def test_languages_of_the_models(base, tiny) -> None:
    assert {"en", "ko", "ja", "de"} <= base.languages
    assert tiny.languages == {"en"}


def test_stops_when_told(tiny, data: Path, decode: Decode) -> None:
    assert tiny.transcribe(decode(data / "jfk.flac"), "en", OPTIONS, lambda: True) == []


def test_model_without_its_files_is_missing(tmp_path: Path) -> None:
    model = InstalledModel("half", "stt", tmp_path, (), "", 0, {})
    with pytest.raises(ModelMissing) as caught:
        FasterWhisperEngine(model, workers=1)
    assert "recordroute models pull half" in caught.value.message


def test_broken_model_says_how_to_mend_it(models_dir: Path, tmp_path: Path) -> None:
    installed = find_model(models_dir, "faster-whisper-tiny.en")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes((installed.path / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((installed.path / "model.bin").read_bytes()[:100_000])
    (tmp_path / "model.json").write_text(json.dumps({"task": "stt"}))
    with pytest.raises(PreconditionFailed) as caught:
        FasterWhisperEngine(find_model(tmp_path.parent, tmp_path.name), workers=1)
    assert caught.value.reason == "MODEL_BROKEN"
    assert "recordroute models verify" in caught.value.message
