"""Whisper models in CTranslate2's format, run by faster-whisper."""

from __future__ import annotations

import logging
from collections.abc import Callable, Set

import ctranslate2
from faster_whisper import WhisperModel
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import InstalledModel

from recordroute_stt.domain import Language, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Profile, Samples, WindowTranscript

# It tells the length of every window.
logging.getLogger("faster_whisper").setLevel(logging.WARNING)

# Without its tokenizer faster-whisper would look for one on the network.
REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")

# Two retries, and one candidate each: noise that never decodes well costs seconds, not minutes.
TEMPERATURES = (0.0, 0.4, 0.8)
# Whisper was trained on at most 224 tokens a window; more only comes from loops.
MAX_TOKENS = 224
MIN_TOKENS = 32
TOKENS_PER_SECOND = 20


class FasterWhisperEngine:
    """One Whisper model in memory, with as many single-threaded decoders as `workers`.

    Decoders with one thread each have about twice the throughput of one decoder with as many threads.
    Raises ModelMissing where files are missing, and PreconditionFailed (MODEL_BROKEN) where they can't be loaded.
    """

    def __init__(
        self, model: InstalledModel, *, workers: int, device: str = "auto", compute_type: str = "auto"
    ) -> None:
        if not all((model.path / name).is_file() for name in REQUIRED_FILES):
            raise ModelMissing(model.id)
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        if compute_type == "auto":
            compute_type = "int8" if device == "cpu" else "float16"
        try:
            self._whisper = WhisperModel(
                str(model.path), device=device, compute_type=compute_type, cpu_threads=1, num_workers=workers
            )
        except (RuntimeError, ValueError) as error:
            raise PreconditionFailed(
                "MODEL_BROKEN",
                f"model {model.id} can't be loaded ({error}); check it with: recordroute models verify {model.id}",
                metadata={"model": model.id},
            ) from error
        self._id = model.id

    @property
    def model(self) -> str:
        return self._id

    @property
    def languages(self) -> Set[str]:
        return frozenset(self._whisper.supported_languages)

    def detect_languages(self, audio: Samples) -> tuple[Language, ...]:
        if not self._whisper.model.is_multilingual:
            return (Language("en", 1.0),)
        _, _, languages = self._whisper.detect_language(audio)
        return tuple(Language(code, float(probability)) for code, probability in languages)

    def transcribe(
        self, audio: Samples, options: DecodingOptions, stopped: Callable[[], bool]
    ) -> WindowTranscript:
        seconds = len(audio) / SAMPLE_RATE
        language = (
            self.detect_languages(audio)[0] if options.language is None else Language(options.language, 1.0)
        )
        decoded, _ = self._whisper.transcribe(
            audio,
            language=language.code,
            task="translate" if options.translate else "transcribe",
            beam_size=options.beam_size or (5 if options.profile is Profile.ACCURATE else 1),
            best_of=1,
            temperature=TEMPERATURES,
            max_new_tokens=min(MAX_TOKENS, MIN_TOKENS + round(TOKENS_PER_SECOND * seconds)),
            # The previous window's text as a prompt carries its loops on.
            condition_on_previous_text=False,
            word_timestamps=options.word_timestamps,
            hotwords=", ".join(options.hotwords) or None,
            initial_prompt=options.initial_prompt or None,
        )
        segments = []
        for segment in decoded:
            if stopped():
                break
            words = tuple(
                Word(word.word, float(word.start), float(word.end), float(word.probability))
                for word in segment.words or ()
            )
            segments.append(
                Segment(
                    start=float(segment.start),
                    end=float(segment.end),
                    text=segment.text.strip(),
                    average_log_probability=float(segment.avg_logprob),
                    no_speech_probability=float(segment.no_speech_prob),
                    compression_ratio=float(segment.compression_ratio),
                    words=words,
                    language=language.code,
                )
            )
        return WindowTranscript(language, tuple(segments))

    def close(self) -> None:
        self._whisper.model.unload_model()
        del self._whisper
