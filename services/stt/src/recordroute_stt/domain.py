"""What a transcript is made of. Times are in seconds from the start of the recording unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True)
class Word:
    """One word, with the white space before it. `probability` is the mean over its tokens, 0 to 1."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of transcribed speech.

    `average_log_probability` is the mean over the tokens (natural logarithm); `compression_ratio` is that of zlib on
    the text decoded together, high where the decoder fell into a loop; all three scores are NaN where no model ran.
    `language` is a BCP 47 primary subtag; `speaker` is empty and `channel` None where they are not told.
    """

    start: float
    end: float
    text: str
    average_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    words: tuple[Word, ...] = ()
    language: str = ""
    speaker: str = ""
    channel: int | None = None


@dataclass(frozen=True)
class Language:
    """A language (BCP 47 primary subtag) and how sure the engine is of it, 0 to 1."""

    code: str
    probability: float


class RemovalReason(Enum):
    """Why text is not in the transcript."""

    NO_SPEECH = auto()
    UNINTELLIGIBLE = auto()
    LOOP = auto()


@dataclass(frozen=True)
class Removal:
    """Text that the model wrote and that was taken out; `detail` says in words what was measured.

    The text is empty where the sound was refused before the model heard it.
    """

    segment: Segment
    reason: RemovalReason
    detail: str


@dataclass(frozen=True)
class Turn:
    """A time in which one person speaks; turns of several people may overlap."""

    speaker: str
    start: float
    end: float
