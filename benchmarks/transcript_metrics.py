"""How wrong a transcript is: words, characters, word times, speakers."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jiwer

SPELLINGS = {"mr": "mister", "mrs": "missus", "dr": "doctor"}


@dataclass(frozen=True)
class Errors:
    """Edits that turn the reference into the transcript, and the reference's length, in words or characters."""

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def rate(self) -> float:
        return (self.substitutions + self.deletions + self.insertions) / self.length

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.length + other.length,
        )


def normalised(text: str) -> str:
    """Returns the words alone: without case, punctuation and typographic variants, common abbreviations spelt out."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    letters = "".join(character if unicodedata.category(character)[0] in "LNM" else " " for character in text)
    return " ".join(SPELLINGS.get(word, word) for word in letters.split())


def word_errors(reference: str, transcript: str) -> Errors:
    """Raises ValueError for a reference without words."""
    found = jiwer.process_words(normalised(reference), normalised(transcript))
    length = found.hits + found.substitutions + found.deletions
    return Errors(found.substitutions, found.deletions, found.insertions, length)


def character_errors(reference: str, transcript: str, *, spaces: bool) -> Errors:
    """`spaces` False: white space does not count, as is usual for Korean, whose spacing varies between writers."""

    def prepared(text: str) -> str:
        return normalised(text) if spaces else normalised(text).replace(" ", "")

    found = jiwer.process_characters(prepared(reference), prepared(transcript))
    length = found.hits + found.substitutions + found.deletions
    return Errors(found.substitutions, found.deletions, found.insertions, length)


def kept_words(reference: str, transcript: str) -> float:
    """Returns the share of the reference's words that the transcript has at their place."""
    found = jiwer.process_words(normalised(reference), normalised(transcript))
    return found.hits / (found.hits + found.substitutions + found.deletions)


@dataclass(frozen=True)
class Turn:
    """A person speaks; times in seconds."""

    speaker: str
    start: float
    end: float


@dataclass(frozen=True)
class DiarizationErrors:
    """Seconds of missed speech, of false alarm, of speech given to the wrong person, and of speech in all."""

    missed: float
    false_alarm: float
    confused: float
    total: float

    @property
    def rate(self) -> float:
        return (self.missed + self.false_alarm + self.confused) / self.total


def read_rttm(lines: Iterable[str]) -> dict[str, list[Turn]]:
    """Returns the turns of each file of an RTTM."""
    files: dict[str, list[Turn]] = {}
    for line in lines:
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            start = float(fields[3])
            files.setdefault(fields[1], []).append(Turn(fields[7], start, start + float(fields[4])))
    return files


def diarization_errors(
    reference: Sequence[Turn], found: Sequence[Turn], *, collar: float = 0.25
) -> DiarizationErrors:
    """The diarization error of NIST's RT evaluations: `collar` seconds around each turn of the reference do not count,
    overlapped speech does, and speakers are paired so that most time agrees (at most 16 speakers a side)."""
    edges = {edge for turn in (*reference, *found) for edge in (turn.start, turn.end)}
    borders = [edge for turn in reference for edge in (turn.start, turn.end)]
    edges |= {border + side for border in borders for side in (-collar, collar)}
    times = sorted(edges)
    missed = false_alarm = matched = total = 0.0
    together: dict[tuple[str, str], float] = {}
    for start, end in itertools.pairwise(times):
        middle, seconds = (start + end) / 2, end - start
        if any(abs(middle - border) < collar for border in borders):
            continue
        real = {turn.speaker for turn in reference if turn.start <= middle < turn.end}
        heard = {turn.speaker for turn in found if turn.start <= middle < turn.end}
        total += seconds * len(real)
        missed += seconds * max(0, len(real) - len(heard))
        false_alarm += seconds * max(0, len(heard) - len(real))
        matched += seconds * min(len(real), len(heard))
        for one in real:
            for other in heard:
                together[one, other] = together.get((one, other), 0.0) + seconds
    return DiarizationErrors(missed, false_alarm, matched - _best_pairing(together), total)


def _best_pairing(together: dict[tuple[str, str], float]) -> float:
    """Returns the most seconds that agree when each speaker is paired with at most one of the other side."""
    rows = sorted({one for one, _ in together})
    columns = sorted({other for _, other in together})

    @functools.cache
    def best(row: int, taken: int) -> float:
        if row == len(rows):
            return 0.0
        without = best(row + 1, taken)
        choices = (
            together.get((rows[row], other), 0.0) + best(row + 1, taken | 1 << column)
            for column, other in enumerate(columns)
            if not taken & 1 << column
        )
        return max([without, *choices])

    return best(0, 0)
