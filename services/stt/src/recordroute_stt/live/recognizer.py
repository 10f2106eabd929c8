"""The rules of live recognition: what is decoded when, and what is said of it. Knows no clock but the audio's."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from recordroute_stt.domain import Language, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Profile, Samples, WindowTranscript
from recordroute_stt.live.agreement import LocalAgreement, join, words_of
from recordroute_stt.live.endpointing import (
    Endpointer,
    SpeechEnded,
    SpeechStarted,
    UtteranceEnded,
    speech_end,
)
from recordroute_stt.windows import SpeechWindow

# Speech before the first interim result: less is seldom a word.
FIRST_SPEECH_SECONDS = 0.3
# New audio before the utterance is decoded again.
INTERVAL_SECONDS = 0.5
# Long utterances are decoded less often, so that their stream takes at most this share of a core.
MAX_SHARE = 0.25
# Silence at which the utterance may have ended: decoded now, it is ready when the endpoint's silence is over.
PAUSE_SECONDS = 0.15
# When a language is certain enough to be kept: short sounds are often taken for another language.
SURE_PROBABILITY = 0.8
SURE_SPEECH_SECONDS = 3.0
# How often an unstable word stays, as benchmarks/stt_live.py measures it.
WORD_SURVIVAL = 0.8


@dataclass(frozen=True)
class RecognitionOptions:
    """How to recognise a stream; `language` None: detected from the first speech and kept. Seconds throughout."""

    language: str | None = None
    interim_results: bool = True
    word_timestamps: bool = False
    endpoint_silence: float = 0.5
    hotwords: tuple[str, ...] = ()
    initial_prompt: str = ""


@dataclass(frozen=True)
class Result:
    """Words of an utterance; times are in seconds from the start of the stream.

    The words of `stable` are kept by all later interim results of the utterance. The final one, of the whole utterance,
    is what was heard in the end: it sets case and punctuation, and seldom corrects a stable word. `stability` is the
    probability that no unstable word changes any more. `average_log_probability` is None where there are no words,
    `language` empty where it is not known.
    """

    utterance: int
    is_final: bool
    start: float
    end: float
    stable: str
    unstable: str
    stability: float
    language: str
    words: tuple[Word, ...] = ()
    average_log_probability: float | None = None


Output = SpeechStarted | SpeechEnded | Language | Result


class Urgency(IntEnum):
    """What a decode is for, the most urgent first."""

    FINAL = 0
    PAUSE = 1
    INTERIM = 2


@dataclass(frozen=True)
class Decode:
    """A window that is to be decoded now."""

    utterance: int
    urgency: Urgency
    window: SpeechWindow
    options: DecodingOptions


@dataclass(frozen=True)
class _Hypothesis:
    """What was decoded."""

    decode: Decode
    language: Language
    segments: tuple[Segment, ...]

    def covers(self, window: SpeechWindow) -> bool:
        """Returns whether it heard all speech of an utterance, and was decoded with the care of a final result."""
        careful = self.decode.urgency is not Urgency.INTERIM
        return careful and speech_end(self.decode.window) == speech_end(window)


@dataclass(frozen=True)
class _Ended:
    """An utterance that has ended and waits for its words."""

    index: int
    window: SpeechWindow


class Recognizer:
    """Follows one stream: takes audio, names the next window to decode, takes what was decoded, gives results.

    At most one window is decoded at a time. The running utterance is decoded anew every INTERVAL_SECONDS of audio and
    at each pause; where the hypothesis of the pause heard all of the utterance, it is the final result as soon as the
    endpoint's silence is over, without another decode.
    """

    def __init__(self, options: RecognitionOptions, *, endpointer: Endpointer | None = None) -> None:
        self._options = options
        self._endpointer = endpointer or Endpointer(options.endpoint_silence)
        self._pause = min(PAUSE_SECONDS, options.endpoint_silence / 2)
        self._language = options.language
        self._announced = False
        self._index = 0
        self._agreement = LocalAgreement()
        self._latest: _Hypothesis | None = None
        self._running: Decode | None = None
        self._ended: deque[_Ended] = deque()
        self._interval = INTERVAL_SECONDS
        self._next_interim = 0.0
        self._samples = 0
        self._finished = False
        self.utterances = 0

    @property
    def audio_seconds(self) -> float:
        """Audio that was taken."""
        return self._samples / SAMPLE_RATE

    @property
    def speech_seconds(self) -> float:
        """Audio with speech in it."""
        return self._endpointer.speech_seconds

    @property
    def waiting_seconds(self) -> float:
        """Audio of utterances that have ended and wait for their words."""
        return sum(ended.window.seconds for ended in self._ended)

    @property
    def done(self) -> bool:
        """Whether the stream has ended and everything is said."""
        return self._finished and not self._ended and self._running is None

    @property
    def wanted(self) -> Urgency | None:
        """What should be decoded next; None: nothing, or something is being decoded."""
        if self._running is not None:
            return None
        if self._ended:
            return Urgency.FINAL
        spoken = self._endpointer.voiced_seconds
        if not spoken:
            return None
        if self._endpointer.pause >= self._pause:
            return None if self._pause_is_covered else Urgency.PAUSE
        due = spoken >= FIRST_SPEECH_SECONDS and self._endpointer.position >= self._next_interim
        return Urgency.INTERIM if due and self._options.interim_results else None

    def accept(self, audio: Samples) -> list[Output]:
        """Takes the next audio and returns what is known by it."""
        self._samples += len(audio)
        return self._heard(self._endpointer.feed(audio))

    def finish(self) -> list[Output]:
        """Ends the audio; what is still wanted decides when the stream is done."""
        self._finished = True
        return self._heard(self._endpointer.flush())

    def start(self) -> Decode | None:
        """Returns the window to decode now, with the newest audio; None where nothing is wanted any more."""
        urgency = self.wanted
        if urgency is None:
            return None
        if urgency is Urgency.FINAL:
            index, window = self._ended[0].index, self._ended[0].window
        else:
            running = self._endpointer.running
            assert running is not None, "an utterance runs where one is to be decoded"
            index, window = self._index, running
        self._running = Decode(index, urgency, window, self._decoding_options(urgency))
        return self._running

    def decoded(self, decode: Decode, transcript: WindowTranscript, seconds: float) -> list[Output]:
        """Takes what was decoded, with times from the start of the stream, and how long that took, and returns what
        is known by it."""
        assert decode is self._running, "one window is decoded at a time"
        self._running = None
        self._interval = max(INTERVAL_SECONDS, seconds / MAX_SHARE)
        hypothesis = _Hypothesis(decode, transcript.language, transcript.segments)
        if self._ended:
            ended = self._ended[0]
            covered = hypothesis.covers(ended.window)
            if decode.utterance == ended.index and (decode.urgency is Urgency.FINAL or covered):
                self._ended.popleft()
                return self._final(ended, hypothesis)
        if self._ended or decode.utterance != self._index:
            return []
        self._latest = hypothesis
        self._next_interim = max(decode.window.end + self._interval, self._next_interim)
        return self._interim(hypothesis) if self._options.interim_results else []

    @property
    def _pause_is_covered(self) -> bool:
        window = self._endpointer.running
        return window is not None and self._latest is not None and self._latest.covers(window)

    def _decoding_options(self, urgency: Urgency) -> DecodingOptions:
        return DecodingOptions(
            language=self._language,
            profile=Profile.FAST,
            word_timestamps=self._options.word_timestamps and urgency is not Urgency.INTERIM,
            hotwords=self._options.hotwords,
            initial_prompt=self._options.initial_prompt,
        )

    def _heard(self, boundaries: Iterator[SpeechStarted | SpeechEnded | UtteranceEnded]) -> list[Output]:
        outputs: list[Output] = []
        for boundary in boundaries:
            if not isinstance(boundary, UtteranceEnded):
                outputs.append(boundary)
                continue
            ended = _Ended(self._index, boundary.window)
            latest = self._latest
            self._index += 1
            self._latest = None
            self._next_interim = 0.0
            if latest is not None and latest.covers(ended.window):
                outputs += self._final(ended, latest)
            else:
                self._ended.append(ended)
        return outputs

    def _interim(self, hypothesis: _Hypothesis) -> list[Output]:
        text = join([segment.text for segment in hypothesis.segments])
        if not text:
            return []
        window = hypothesis.decode.window
        sure = (
            hypothesis.language.probability >= SURE_PROBABILITY
            or window.speech_seconds >= SURE_SPEECH_SECONDS
        )
        if self._language is None and not sure:
            return []
        rest = self._agreement.update(words_of(text))
        result = Result(
            utterance=hypothesis.decode.utterance,
            is_final=False,
            start=window.speech_start,
            end=speech_end(window),
            stable="".join(self._agreement.stable).strip(),
            unstable="".join(rest).strip(),
            stability=WORD_SURVIVAL ** len(rest),
            language=hypothesis.language.code,
            average_log_probability=_mean_log_probability(hypothesis.segments),
        )
        return [*self._announce(hypothesis.language), result]

    def _final(self, ended: _Ended, hypothesis: _Hypothesis) -> list[Output]:
        segments = hypothesis.segments
        text = join([segment.text for segment in segments])
        self.utterances += bool(text)
        self._agreement = LocalAgreement()
        result = Result(
            utterance=ended.index,
            is_final=True,
            start=ended.window.speech_start,
            end=speech_end(ended.window),
            stable=text,
            unstable="",
            stability=1.0,
            language=hypothesis.language.code if text else self._language or "",
            words=tuple(word for segment in segments for word in segment.words),
            average_log_probability=_mean_log_probability(segments),
        )
        # What is made of noise tells no language.
        return [*(self._announce(hypothesis.language) if text else []), result]

    def _announce(self, language: Language) -> list[Output]:
        if self._announced:
            return []
        self._announced = True
        self._language = language.code
        return [language]


def _mean_log_probability(segments: tuple[Segment, ...]) -> float | None:
    """Returns the mean over the segments, each weighed by its text's length."""
    length = sum(len(segment.text) for segment in segments)
    if not length:
        return None
    return sum(segment.average_log_probability * len(segment.text) for segment in segments) / length
