"""What is done to the text after decoding: loops taken out, spacing put right, pieces of a sentence joined."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from recordroute_stt.domain import Removal, RemovalReason, Segment, Word
from recordroute_stt.windows import SpeechWindow

# Whisper's own signs of a failed decoding, see https://arxiv.org/abs/2212.04356 section 4.5.
MIN_LOG_PROBABILITY = -1.0
MAX_COMPRESSION_RATIO = 2.4

# The fastest speakers reach 10 to 11 syllables a second, and only for a few seconds.
MAX_SYLLABLES_PER_SECOND = 14.0
# So many times faster than anybody speaks, a whole segment was not said there.
TIMELESS = 3.0
# Letters to a syllable in the alphabetic scripts; in Hangul, kana and Chinese characters one is about one syllable.
LETTERS_PER_SYLLABLE = 3.0
# Word times are that wrong now and then: fewer syllables in no time are no evidence.
MIN_LOOP_SYLLABLES = 12.0
MIN_REPEATS = 3
MAX_PERIOD = 40
# Longer words are looked into letter by letter: scripts without spaces, and loops within a word.
LONG_WORD = 24
SPEECH_TOLERANCE_SECONDS = 0.5

MAX_JOIN_PAUSE_SECONDS = 1.0
MAX_JOINED_SECONDS = 20.0
MAX_JOINED_CHARACTERS = 240
SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]」』]*$")
WITHOUT_SPACES = frozenset({"ja", "zh", "yue", "th", "lo", "my", "km", "bo"})


@dataclass(frozen=True)
class PostProcessing:
    """Which steps are done."""

    silence_gate: bool = True
    remove_loops: bool = True
    merge_segments: bool = True
    normalise_spacing: bool = True


# Loops


@dataclass(frozen=True)
class _Piece:
    """A word, or a letter of a long one; `word` is the word's index, or None where the segment has none."""

    text: str
    start: float
    end: float
    word: int | None

    @property
    def key(self) -> str:
        return "".join(character for character in self.text.casefold() if character.isalnum())


@dataclass(frozen=True)
class _Run:
    """`repeats` repetitions of `period` pieces, from piece `first`."""

    first: int
    period: int
    repeats: int

    @property
    def end(self) -> int:
        return self.first + self.period * self.repeats


def remove_loops(
    segment: Segment, window: SpeechWindow | None = None
) -> tuple[Segment | None, Removal | None]:
    """Takes out what the decoder repeated and nobody said, and returns what is left and what was taken.

    Repetition alone is language: refrains, lists and "아니 아니 아니" stay. A repetition is a loop from where it goes
    on faster than anybody speaks, or, if the `window` is given, where nobody speaks. A segment that is repetition
    altogether and that the model itself gives up on (by Whisper's thresholds) is taken out whole, and so is one whose
    words have hardly any time at all: what the decoder says again after the end of the speech. Without word times the
    words are thought to be spread evenly over the segment.
    """
    pieces = _pieces(segment)
    runs = _runs([piece.key for piece in pieces])
    if not runs:
        return _unless_timeless(segment)
    failed = (
        segment.average_log_probability < MIN_LOG_PROBABILITY
        and segment.compression_ratio > MAX_COMPRESSION_RATIO
    )
    if failed and sum(run.end - run.first for run in runs) > len(pieces) / 2:
        detail = (
            f"repetition with log-probability {segment.average_log_probability:.2f} "
            f"and compression ratio {segment.compression_ratio:.1f}"
        )
        return None, Removal(segment, RemovalReason.LOOP, detail)
    loops = [
        (cut, _with_its_beginning(pieces, run), run)
        for run in runs
        if (cut := _where_it_loops(pieces, run, window)) is not None
    ]
    return _without(segment, pieces, loops) if loops else (segment, None)


def _unless_timeless(segment: Segment) -> tuple[Segment | None, Removal | None]:
    said, seconds = syllables(segment.text), segment.end - segment.start
    if said < MIN_LOOP_SYLLABLES or said <= TIMELESS * MAX_SYLLABLES_PER_SECOND * seconds:
        return segment, None
    detail = f"about {said:.0f} syllables in {seconds:.2f} s: said again after the end"
    return None, Removal(segment, RemovalReason.LOOP, detail)


def _pieces(segment: Segment) -> list[_Piece]:
    words: list[tuple[str, float, float, int | None]]
    if segment.words:
        words = [(word.text, word.start, word.end, index) for index, word in enumerate(segment.words)]
    else:
        whole = (segment.text, segment.start, segment.end, None)
        words = list(_spread(whole, re.findall(r"\s*\S+", segment.text)))
    pieces: list[_Piece] = []
    for word in words:
        parts = _spread(word, list(word[0])) if len(word[0].strip()) > LONG_WORD else [word]
        pieces += [_Piece(*part) for part in parts]
    return _with_punctuation(pieces)


def _with_punctuation(pieces: list[_Piece]) -> list[_Piece]:
    """Joins pieces without letters and digits to the piece before them, at the beginning to the one after."""
    joined: list[_Piece] = []
    opening = ""
    for piece in pieces:
        if piece.key:
            joined.append(replace(piece, text=opening + piece.text))
            opening = ""
        elif joined:
            joined[-1] = replace(joined[-1], text=joined[-1].text + piece.text)
        else:
            opening += piece.text
    return joined


def _spread(
    whole: tuple[str, float, float, int | None], texts: list[str]
) -> Iterator[tuple[str, float, float, int | None]]:
    _, start, end, word = whole
    total = sum(map(syllables, texts)) or 1.0
    said = 0.0
    for text in texts:
        begin = start + (end - start) * said / total
        said += syllables(text)
        yield text, begin, start + (end - start) * said / total, word


def syllables(text: str) -> float:
    """Returns about how many syllables a text has, rather too few than too many."""

    def weight(character: str) -> float:
        if not character.isalnum():
            return 0.0
        whole = character.isdigit() or unicodedata.category(character) == "Lo"
        return 1.0 if whole else 1 / LETTERS_PER_SYLLABLE

    return sum(map(weight, text))


def _runs(keys: list[str]) -> list[_Run]:
    """Returns the longest repetitions, of which none overlaps another, in their order."""
    candidates: list[_Run] = []
    for period in range(1, min(MAX_PERIOD, len(keys) // MIN_REPEATS) + 1):
        same = 0
        for first in reversed(range(len(keys) - period)):
            same = same + 1 if keys[first] == keys[first + period] else 0
            repeats = same // period + 1
            if repeats >= MIN_REPEATS:
                candidates.append(_Run(first, period, repeats))
    chosen: list[_Run] = []
    # Of equally long ones the shortest period says most, and the earliest begin.
    for run in sorted(candidates, key=lambda run: (run.first - run.end, run.period, run.first)):
        if all(run.end <= other.first or run.first >= other.end for other in chosen):
            chosen.append(run)
    return sorted(chosen, key=lambda run: run.first)


def _where_it_loops(pieces: list[_Piece], run: _Run, window: SpeechWindow | None) -> int | None:
    """Returns the first piece of the repetitions that nobody can have said, None where there are not enough."""

    def impossible(first: int, end: int) -> bool:
        said = pieces[first:end]
        count = sum(syllables(piece.text) for piece in said)
        start, stop = said[0].start, max(piece.end for piece in said)
        if count > MAX_SYLLABLES_PER_SECOND * (stop - start):
            return True
        return window is not None and not window.has_speech(start, stop, tolerance=SPEECH_TOLERANCE_SECONDS)

    starts = range(run.first + run.period, run.end, run.period)
    cut = run.end
    for start in reversed(starts):
        if not impossible(start, start + run.period):
            break
        cut = start
    enough = sum(syllables(piece.text) for piece in pieces[cut : run.end]) >= MIN_LOOP_SYLLABLES
    return cut if enough and run.end - cut >= 2 * run.period and impossible(cut, run.end) else None


def _with_its_beginning(pieces: list[_Piece], run: _Run) -> int:
    """Returns where a run ends together with the repetition that it broke off in."""
    end = run.end
    while end < len(pieces) and pieces[end].key == pieces[end - run.period].key:
        end += 1
    return end


def _without(
    segment: Segment, pieces: list[_Piece], loops: list[tuple[int, int, _Run]]
) -> tuple[Segment, Removal]:
    """Takes the loops, each from its first piece to before its end, out of the segment."""
    lost = {index for first, end, _ in loops for index in range(first, end)}
    taken = [piece for index, piece in enumerate(pieces) if index in lost]
    left = [piece for index, piece in enumerate(pieces) if index not in lost]
    said = ", ".join(f"{run.repeats} repetitions of {run.period} words" for _, _, run in loops)
    start, end = taken[0].start, max(piece.end for piece in taken)
    count = sum(syllables(piece.text) for piece in taken)
    detail = f"{said}; {count:.0f} syllables taken out of {end - start:.1f} s"
    removed = replace(_of_pieces(segment, taken), start=start, end=end)
    kept = _of_pieces(segment, left)
    if len(pieces) - 1 in lost:
        kept = replace(kept, end=min(segment.end, max(segment.start, left[-1].end)))
    return kept, Removal(removed, RemovalReason.LOOP, detail)


def _of_pieces(segment: Segment, pieces: list[_Piece]) -> Segment:
    if not segment.words:
        return replace(segment, text="".join(piece.text for piece in pieces).strip())
    words: list[Word] = []
    last: int | None = None
    for piece in pieces:
        assert piece.word is not None, "the pieces of a segment with words belong to words"
        if piece.word == last:
            words[-1] = replace(words[-1], text=words[-1].text + piece.text, end=piece.end)
        else:
            probability = segment.words[piece.word].probability
            words.append(Word(piece.text, piece.start, piece.end, probability))
        last = piece.word
    return replace(segment, text="".join(word.text for word in words).strip(), words=tuple(words))


# Spacing

# Each rule: what is looked for, and what stands there instead.
_RULES = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"(?:\. ?){2,}\.|。{2,}|…(?: ?[.…])+"), "…"),
    (re.compile(r" +(?=[,.…)\]}”»、。，！？」』])(?!\.\d)"), ""),
    (re.compile(r"(?<=[(\[{“«「『]) +"), ""),
    (re.compile(r"(?<=[、。，！？「」『』]) +(?=[\u3040-\u30ff\u4e00-\u9fff])"), ""),
)
# French sets a space before these.
_CLOSE_UP = re.compile(r" +(?=[!?;:])")
_AFTER_COMMA = re.compile(r"(?<=[A-Za-z가-힣],)(?=[A-Za-z가-힣])")
_SILENT = frozenset(".,!?;:…、。，！？\"'“”‘’()[]{}«»「」『』-–— ")


def normalise_spacing(segment: Segment) -> Segment:
    """Puts white space and the space around punctuation right, in the text and in its words alike.

    White space is collapsed, none stands before a comma or full stop or inside brackets, one stands after a comma
    between words, and dots in a row become an ellipsis. Nothing is done between words: Korean keeps the spacing that
    was heard. Punctuation that stands as a word by itself goes to the word before it; words keep their times.
    """
    characters = [character for word in segment.words for character in word.text]
    owners = [index for index, word in enumerate(segment.words) for _ in word.text]
    if "".join("".join(characters).split()) != "".join(segment.text.split()):
        # A text that is not the words' is put right by itself.
        text, _ = _rewritten(list(segment.text), [0] * len(segment.text), segment.language)
        return replace(segment, text=text.strip())
    text, owners = _rewritten(characters, owners, segment.language)
    texts = [""] * len(segment.words)
    for character, owner in zip(text, owners, strict=True):
        texts[owner] += character
    words: list[Word] = []
    opening = ""
    for word, new in zip(segment.words, texts, strict=True):
        if set(new) <= _SILENT:
            if words:
                words[-1] = replace(words[-1], text=words[-1].text + new)
            else:
                opening += new
        else:
            words.append(replace(word, text=opening + new))
            opening = ""
    return replace(segment, text=text.strip(), words=tuple(words))


def _rewritten(characters: list[str], owners: list[int], language: str) -> tuple[str, list[int]]:
    text = "".join(characters)
    rules = [*_RULES, (_AFTER_COMMA, " ")]
    if language != "fr":
        rules.append((_CLOSE_UP, ""))
    for pattern, replacement in rules:
        parts: list[str] = []
        kept: list[int] = []
        last = 0
        for match in pattern.finditer(text):
            parts += [text[last : match.start()], replacement]
            # White space belongs to the word after it, everything else to the word it began in.
            at = match.end() - 1 if replacement == " " and match.group() else match.start()
            kept += owners[last : match.start()] + [owners[at]] * len(replacement)
            last = match.end()
        text = "".join([*parts, text[last:]])
        owners = kept + owners[last:]
    return text, owners


# Joining


class SegmentMerger:
    """Joins the pieces of a sentence, as they come; holds one segment at most."""

    def __init__(self) -> None:
        self._held: Segment | None = None

    def feed(self, segment: Segment) -> Iterator[Segment]:
        """Takes the next segment and yields the one before it, unless they belong together."""
        held, self._held = self._held, segment
        if held is None:
            return
        if _belong_together(held, segment):
            self._held = _joined(held, segment)
        else:
            yield held

    def flush(self) -> Iterator[Segment]:
        """Yields what is held."""
        held, self._held = self._held, None
        if held is not None:
            yield held


def _belong_together(one: Segment, other: Segment) -> bool:
    return (
        (one.speaker, one.channel, one.language) == (other.speaker, other.channel, other.language)
        and other.start >= one.start
        and other.start - one.end <= MAX_JOIN_PAUSE_SECONDS
        and other.end - one.start <= MAX_JOINED_SECONDS
        and len(one.text) + len(other.text) < MAX_JOINED_CHARACTERS
        and bool(one.words) == bool(other.words)
        and not SENTENCE_END.search(one.text)
    )


def _joined(one: Segment, other: Segment) -> Segment:
    space = "" if one.language in WITHOUT_SPACES else " "
    words = other.words
    if words:
        first = replace(words[0], text=space + words[0].text.lstrip())
        words = (*one.words, first, *words[1:])
    shares = len(one.text), len(other.text)
    mean = one.average_log_probability * shares[0] + other.average_log_probability * shares[1]
    return replace(
        one,
        end=max(one.end, other.end),
        text=f"{one.text}{space}{other.text}",
        words=words,
        average_log_probability=mean / max(1, sum(shares)),
        no_speech_probability=max(one.no_speech_probability, other.no_speech_probability),
        compression_ratio=max(one.compression_ratio, other.compression_ratio),
    )
