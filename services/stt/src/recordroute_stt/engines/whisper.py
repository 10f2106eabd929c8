"""Whisper models in CTranslate2's format, decoded window by window with as little work as the window needs.

The encoder's cost grows faster than its input, and the model was trained on 30 seconds: a window is therefore encoded
with just the silence after it that it needs to be written well, decoded greedily, and judged by its own scores. Only
where these are poor is it decoded again as it was trained, and with more effort. Windows that are decoded together
share each read of the decoder's weights, which is what a decoder on a CPU spends its time on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field

import ctranslate2
import numpy as np
import tokenizers
from ctranslate2.models import Whisper
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import InstalledModel

from recordroute_stt.domain import Language, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Profile, Samples, WindowTranscript
from recordroute_stt.engines.whisper_guard import Decoded, Fault, faults
from recordroute_stt.engines.whisper_tokens import (
    MAX_TOKENS,
    max_length,
    prompt,
    split_at_times,
)
from recordroute_stt.engines.whisper_words import Alignment, words_of
from recordroute_stt.vad import FRAME_SECONDS

REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")

WINDOW_SECONDS = 30
FEATURE_SECONDS = 0.01
# The encoder halves the frames.
STATE_SECONDS = 0.02

# Silence after the speech: with 2 seconds and less the model goes on writing.
PADDING_SECONDS = 3.0
CAREFUL_PADDING_SECONDS = 8.0

# Speech is 3 to 6 tokens a second in most languages; scripts that the tokenizer hardly knows take twice as many.
TOKENS_PER_SECOND = 8
DENSE_TOKENS_PER_SECOND = 16
# fmt: off
DENSE = frozenset((
    "am", "as", "bn", "bo", "gu", "hi", "hy", "ka", "km", "kn", "lo", "ml", "mr", "my", "ne", "pa", "sa", "sd", "si",
    "ta", "te", "th", "ur",
))
# fmt: on
SPARE_TOKENS = 12

# A window whose scores are worse gets a second opinion from a beam search on the same encoder output.
DOUBT_LOG_PROBABILITY = -0.4
FALLBACK_TEMPERATURE = 0.4
BEAM_SIZE = 5

# Decoded together, beams for all windows cost a quarter more than greedy search: less than second opinions for some.
MIN_BEAM_BATCH = 3
# Windows decoded together are padded to the longest of them.
MAX_BATCH = 8
MAX_STRETCH = 1.35


@dataclass(frozen=True)
class Attempt:
    """One way to decode a window. `padding` None fills the window up to 30 seconds, as in training."""

    padding: float | None = None
    beam_size: int = 1
    temperature: float = 0.0
    if_doubtful: bool = False


def attempts(profile: Profile, beam_size: int | None, windows: int = 1) -> tuple[Attempt, ...]:
    """Returns what is tried until the scores of each of so many `windows` are good, the cheapest first.

    At most four: sound that never decodes well (clicks, music) costs seconds, not minutes.
    """
    last = Attempt(temperature=FALLBACK_TEMPERATURE)
    if profile is Profile.FAST:
        greedy = beam_size or 1
        return Attempt(PADDING_SECONDS, greedy), Attempt(None, greedy), last
    if profile is Profile.ACCURATE:
        beams = beam_size or BEAM_SIZE
        return Attempt(CAREFUL_PADDING_SECONDS, beams), Attempt(None, beams), last
    more = beam_size or BEAM_SIZE
    first = beam_size or (BEAM_SIZE if windows >= MIN_BEAM_BATCH else 1)
    second = Attempt(PADDING_SECONDS, more, if_doubtful=True)
    return (
        Attempt(PADDING_SECONDS, first),
        *([second] if more > first else []),
        Attempt(None, more),
        last,
    )


@dataclass
class _Window:
    """A window in work: its best transcript yet, and the encoder's output that it came from."""

    audio: Samples
    voiced: NDArray[np.bool_] | None
    language: Language | None
    encoded: NDArray[np.float32] | None = None
    frames: int = 0
    best: Decoded | None = None
    best_encoded: NDArray[np.float32] | None = None
    faults: frozenset[Fault] = field(default_factory=frozenset)

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE

    @property
    def speech_seconds(self) -> float:
        return self.seconds if self.voiced is None else float(self.voiced.sum()) * FRAME_SECONDS

    def wants(self, attempt: Attempt) -> bool:
        if self.best is None:
            return True
        if attempt.if_doubtful:
            return not self.faults and self.best.average_log_probability < DOUBT_LOG_PROBABILITY
        return bool(self.faults)

    def frames_with(self, padding: float | None) -> int:
        """Returns the even number of feature frames of the window with its padding."""
        seconds = WINDOW_SECONDS if padding is None else min(self.seconds + padding, WINDOW_SECONDS)
        return 2 * round(seconds / FEATURE_SECONDS / 2)

    def consider(self, decoded: Decoded) -> None:
        """Keeps `decoded` where it is better than what there was."""
        found = faults(decoded, self.speech_seconds, self.voiced)
        if self.best is None or (not found, decoded.average_log_probability) > (
            not self.faults,
            self.best.average_log_probability,
        ):
            self.best, self.faults, self.best_encoded = decoded, found, self.encoded


class WhisperEngine:
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
            self._whisper = Whisper(
                str(model.path),
                device=device,
                compute_type=compute_type,
                inter_threads=workers,
                intra_threads=1,
            )
            self._vocabulary = tokenizers.Tokenizer.from_file(str(model.path / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more special
            raise PreconditionFailed(
                "MODEL_BROKEN",
                f"model {model.id} can't be loaded ({error}); check it with: recordroute models verify {model.id}",
                metadata={"model": model.id},
            ) from error
        self._features = FeatureExtractor(feature_size=self._whisper.n_mels)
        self._id = model.id
        self._languages = frozenset({"en"})
        if self._whisper.is_multilingual:
            vocabulary = self._vocabulary.get_vocab()
            first = vocabulary["<|startoftranscript|>"] + 1
            codes = range(first, first + self._whisper.num_languages)
            self._languages = frozenset(token[2:-2] for token, code in vocabulary.items() if code in codes)

    @property
    def model(self) -> str:
        return self._id

    @property
    def languages(self) -> Set[str]:
        return self._languages

    def detect_languages(self, audio: Samples) -> tuple[Language, ...]:
        if not self._whisper.is_multilingual:
            return (Language("en", 1.0),)
        window = _Window(audio[: WINDOW_SECONDS * SAMPLE_RATE], None, None)
        self._encode([window], PADDING_SECONDS)
        return self._detect(window)

    def transcribe(
        self,
        audio: Samples,
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: NDArray[np.bool_] | None = None,
    ) -> WindowTranscript:
        return self.transcribe_batch([audio], options, stopped, [voiced])[0]

    def transcribe_batch(
        self,
        audios: Sequence[Samples],
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: Sequence[NDArray[np.bool_] | None] | None = None,
    ) -> tuple[WindowTranscript, ...]:
        language = None if options.language is None else Language(options.language, 1.0)
        if not self._whisper.is_multilingual:
            language = Language("en", 1.0)
        windows = [
            _Window(audio[: WINDOW_SECONDS * SAMPLE_RATE], speech, language)
            for audio, speech in zip(audios, voiced or [None] * len(audios), strict=True)
        ]
        work = (
            (attempt, batch)
            for attempt in attempts(options.profile, options.beam_size, len(windows))
            for batch in _batches([window for window in windows if window.wants(attempt)], attempt)
        )
        for attempt, batch in work:
            if stopped():
                break
            self._attempt(batch, attempt, options)
        return tuple(self._transcript(window, options) for window in windows)

    def close(self) -> None:
        self._whisper.unload_model()
        del self._whisper

    def _attempt(self, windows: Sequence[_Window], attempt: Attempt, options: DecodingOptions) -> None:
        self._encode(windows, attempt.padding)
        prompts = []
        for window in windows:
            if window.language is None:
                window.language = self._detect(window)[0]
            prompts.append(prompt(self._tokenizer(window.language, options), options))
        most = max(_token_limit(window) for window in windows)
        sampling = {"sampling_topk": 0, "sampling_temperature": attempt.temperature}
        results = self._whisper.generate(
            ctranslate2.StorageView.from_array(_stacked(windows)),
            prompts,
            beam_size=1 if attempt.temperature else attempt.beam_size,
            max_length=max_length(len(prompts[0]), most),
            return_scores=True,
            return_no_speech_prob=True,
            **(sampling if attempt.temperature else {}),
        )
        for window, result in zip(windows, results, strict=True):
            window.consider(self._decoded(window, result, most, options))

    def _encode(self, windows: Sequence[_Window], padding: float | None) -> None:
        """Gives the windows their encoder output, all of one length; what is there already is kept."""
        frames = max(window.frames_with(padding) for window in windows)
        for window in windows:
            if window.encoded is not None and window.frames == frames:
                continue
            samples = np.zeros(round(frames * FEATURE_SECONDS * SAMPLE_RATE), np.float32)
            samples[: len(window.audio)] = window.audio[: len(samples)]
            features = np.ascontiguousarray(self._features(samples, padding=0)[None], np.float32)
            # One by one: on a CPU a batch costs more, its attention does not fit the cache.
            encoded = self._whisper.encode(ctranslate2.StorageView.from_array(features), to_cpu=True)
            window.encoded = np.array(encoded.to(ctranslate2.DataType.float32))
            window.frames = frames

    def _detect(self, window: _Window) -> tuple[Language, ...]:
        (found,) = self._whisper.detect_language(ctranslate2.StorageView.from_array(window.encoded))
        return tuple(Language(token[2:-2], float(probability)) for token, probability in found)

    def _tokenizer(self, language: Language, options: DecodingOptions) -> Tokenizer:
        return Tokenizer(
            self._vocabulary,
            self._whisper.is_multilingual,
            task="translate" if options.translate else "transcribe",
            language=language.code,
        )

    def _decoded(
        self,
        window: _Window,
        result: ctranslate2.models.WhisperGenerationResult,
        limit: int,
        options: DecodingOptions,
    ) -> Decoded:
        assert window.language is not None
        tokenizer = self._tokenizer(window.language, options)
        tokens = result.sequences_ids[0]
        parts = split_at_times(
            tokens,
            text_end=tokenizer.eot,
            first_timestamp=tokenizer.timestamp_begin,
            seconds=window.seconds,
        )
        return Decoded(
            parts,
            tokenizer.decode([token for part in parts for token in part.tokens]),
            # CTranslate2 divides the sum by the tokens without the end of text.
            result.scores[0] * len(tokens) / (len(tokens) + 1),
            result.no_speech_prob,
            ended=len(tokens) < limit,
        )

    def _transcript(self, window: _Window, options: DecodingOptions) -> WindowTranscript:
        if window.best is None or window.language is None:
            return WindowTranscript(window.language or UNDETERMINED, ())
        best, tokenizer = window.best, self._tokenizer(window.language, options)
        words: tuple[tuple[Word, ...], ...] = ((),) * len(best.parts)
        if options.word_timestamps and best.tokens:
            words = words_of(best.parts, self._align(window, tokenizer), tokenizer, seconds=window.seconds)
        segments = []
        for part, own in zip(best.parts, words, strict=True):
            text = tokenizer.decode(list(part.tokens)).strip()
            if not text:
                continue
            segments.append(
                Segment(
                    start=own[0].start if own else part.start,
                    end=own[-1].end if own else part.end,
                    text=text,
                    average_log_probability=best.average_log_probability,
                    no_speech_probability=best.no_speech_probability,
                    compression_ratio=best.compression_ratio,
                    words=own,
                    language=window.language.code,
                )
            )
        return WindowTranscript(window.language, tuple(segments))

    def _align(self, window: _Window, tokenizer: Tokenizer) -> Alignment:
        assert window.best is not None
        (aligned,) = self._whisper.align(
            ctranslate2.StorageView.from_array(window.best_encoded),
            tokenizer.sot_sequence,
            [list(window.best.tokens)],
            round(window.seconds / FEATURE_SECONDS),
        )
        return Alignment(aligned.alignments, aligned.text_token_probs)


UNDETERMINED = Language("und", 0.0)


def _stacked(windows: Sequence[_Window]) -> NDArray[np.float32]:
    return np.concatenate([window.encoded for window in windows if window.encoded is not None])


def _token_limit(window: _Window) -> int:
    assert window.language is not None
    rate = DENSE_TOKENS_PER_SECOND if window.language.code in DENSE else TOKENS_PER_SECOND
    return min(MAX_TOKENS, SPARE_TOKENS + round(rate * window.speech_seconds))


def _batches(windows: Sequence[_Window], attempt: Attempt) -> Iterator[list[_Window]]:
    """Yields the windows in batches of about the same length."""
    batch: list[_Window] = []
    for window in sorted(windows, key=lambda window: window.frames_with(attempt.padding)):
        stretch = window.frames_with(attempt.padding) / (
            batch[0].frames_with(attempt.padding) if batch else 1
        )
        if batch and (len(batch) == MAX_BATCH or stretch > MAX_STRETCH):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
