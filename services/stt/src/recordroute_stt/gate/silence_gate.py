"""Decides whether somebody spoke: before decoding by the sound, after decoding by the sound and the model's scores."""

from __future__ import annotations

from collections.abc import Iterator

from recordroute_stt.domain import Removal, RemovalReason, Segment
from recordroute_stt.gate.acoustics import Acoustics, measure, speech_between
from recordroute_stt.postprocess import MAX_COMPRESSION_RATIO, MIN_LOG_PROBABILITY, syllables
from recordroute_stt.vad import FRAME_SECONDS
from recordroute_stt.windows import SpeechWindow

# Log-odds that a sound is not speech: the logistic regression of benchmarks/gate_calibration.py, whose result stands in
# benchmarks/results/silence_gate.md. What could not be measured counts as the middle between speech and other sounds.
HELD_WEIGHT, CHANGE_WEIGHT, VAD_WEIGHT, BIAS = 7.5, -4.1, -5.0, 3.3
HELD_UNKNOWN, CHANGE_UNKNOWN, CHANGE_MOST = 0.2, 0.9, 1.5
# Not decoded above this: the sound alone must leave no doubt in any stretch of the window.
REFUSE_LOG_ODDS = 3.0
STRETCH_SECONDS = 4.0
MIN_STRETCH_SPEECH = 0.3

# Taken out after decoding above this.
REMOVE_LOG_ODDS = 0.5
# What the model's scores add to the log-odds; the sound alone never outweighs a model that is sure of its words.
MOST_ACOUSTIC = 2.5
NO_SPEECH_WEIGHT, NO_SPEECH_MIDDLE = 4.0, 0.4
LOG_PROBABILITY_WEIGHT, LOG_PROBABILITY_MIDDLE = 2.0, -0.7
LEAST_LOG_PROBABILITY, MOST_LOG_PROBABILITY = -1.5, -0.2
# More syllables than the speech can hold: text that has no sound to it.
SYLLABLES_PER_SECOND = 12.0
RUSH_WEIGHT = 1.5
# What Whisper writes of silence more often than people say it: it learnt it from subtitles. Weak by intent.
PHANTOM_WEIGHT = 0.7
PHANTOMS = frozenset(
    {
        "thank you",
        "thank you very much",
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "subtitles by the amara org community",
        "you",
        "im sorry",
        "시청해 주셔서 감사합니다",
        "시청해주셔서 감사합니다",
        "구독과 좋아요 부탁드립니다",
        "한글자막 by 한효정",
        "감사합니다",
        "고맙습니다",
        "이 영상은",
        "이 노래는",
        "ご視聴ありがとうございました",
        "ご清聴ありがとうございました",
        "チャンネル登録お願いします",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf",
        "vielen dank",
        "sous titres réalisés para la communauté damara org",
        "merci davoir regardé cette vidéo",
        "subtítulos realizados por la comunidad de amara org",
    }
)

# Whisper's segment times are that imprecise.
TOLERANCE_SECONDS = 0.5


class SilenceGate:
    """Keeps words out that nobody said. Has no state: one serves any number of recordings."""

    def refuse(self, window: SpeechWindow) -> str | None:
        """Returns in words why a window holds no speech, None where it is to be decoded.

        A window is refused only if each stretch of it is: a word amid music is enough to decode it all.
        """
        least: tuple[float, Acoustics] | None = None
        for start, end in _stretches(window):
            acoustics = measure(window, start, end)
            odds = log_odds_of_no_speech(acoustics)
            if odds < REFUSE_LOG_ODDS:
                return None
            if least is None or odds < least[0]:
                least = odds, acoustics
        return "the window is empty" if least is None else _described(*least)

    def judge(self, segment: Segment, window: SpeechWindow) -> Removal | None:
        """Returns why a segment of a window is taken out, None where it stays. Its times are the recording's.

        Taken out is what has no words, what stands where the voice detector heard nobody, what the model could not
        make out by its own scores, and what the sound, the scores and the text together make unlikely to be speech.
        """
        if not any(character.isalnum() for character in segment.text):
            return Removal(segment, RemovalReason.NO_SPEECH, "no letter and no digit")
        start = max(window.start, segment.start - TOLERANCE_SECONDS)
        end = min(window.end, segment.end + TOLERANCE_SECONDS)
        if not speech_between(window, start, end).any():
            return Removal(segment, RemovalReason.NO_SPEECH, "the voice detector heard nobody")
        if (
            segment.average_log_probability < MIN_LOG_PROBABILITY
            and segment.compression_ratio > MAX_COMPRESSION_RATIO
        ):
            detail = (
                f"log-probability {segment.average_log_probability:.2f}, "
                f"compression ratio {segment.compression_ratio:.1f}"
            )
            return Removal(segment, RemovalReason.UNINTELLIGIBLE, detail)
        acoustics = measure(window, start, end)
        odds = min(log_odds_of_no_speech(acoustics), MOST_ACOUSTIC) + _of_scores(segment, acoustics)
        if odds < REMOVE_LOG_ODDS:
            return None
        detail = (
            f"{_described(odds, acoustics)}, no-speech probability {segment.no_speech_probability:.2f}, "
            f"log-probability {segment.average_log_probability:.2f}"
        )
        return Removal(segment, RemovalReason.NO_SPEECH, detail)


def log_odds_of_no_speech(acoustics: Acoustics) -> float:
    """Returns the natural logarithm of the odds that a sound which the voice detector let pass is not speech."""
    held = HELD_UNKNOWN if acoustics.held is None else acoustics.held
    change = CHANGE_UNKNOWN if acoustics.change is None else min(acoustics.change, CHANGE_MOST)
    return HELD_WEIGHT * held + CHANGE_WEIGHT * change + VAD_WEIGHT * acoustics.vad_mean + BIAS


def _of_scores(segment: Segment, acoustics: Acoustics) -> float:
    log_probability = min(max(segment.average_log_probability, LEAST_LOG_PROBABILITY), MOST_LOG_PROBABILITY)
    odds = NO_SPEECH_WEIGHT * (segment.no_speech_probability - NO_SPEECH_MIDDLE)
    odds += LOG_PROBABILITY_WEIGHT * (LOG_PROBABILITY_MIDDLE - log_probability)
    if syllables(segment.text) > SYLLABLES_PER_SECOND * (acoustics.seconds + TOLERANCE_SECONDS):
        odds += RUSH_WEIGHT
    if _is_phantom(segment.text):
        odds += PHANTOM_WEIGHT
    return odds


def _is_phantom(text: str) -> bool:
    letters = "".join(
        character if character.isalnum() else " " if character in " .-,、，" else ""
        for character in text.casefold()
    )
    return " ".join(letters.split()) in PHANTOMS


def _stretches(window: SpeechWindow) -> Iterator[tuple[float, float]]:
    """Yields the times of the stretches with enough speech to judge, and the whole window where there is none."""
    found = False
    start = window.start
    while start < window.end:
        end = start + STRETCH_SECONDS
        if speech_between(window, start, end).sum() * FRAME_SECONDS >= MIN_STRETCH_SPEECH:
            found = True
            yield start, end
        start += STRETCH_SECONDS / 2
    if not found and window.voiced.any():
        yield window.start, window.end


def _described(odds: float, acoustics: Acoustics) -> str:
    parts = [f"log-odds {odds:.1f}"]
    if acoustics.held is not None:
        parts.append(f"pitch held {100 * acoustics.held:.0f} %")
    if acoustics.change is not None:
        parts.append(f"spectral change {acoustics.change:.2f}")
    parts.append(f"voice detector {acoustics.vad_mean:.2f} over {acoustics.seconds:.1f} s")
    return ", ".join(parts)
