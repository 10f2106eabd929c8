"""Word times that survive an edit.

The words of a segment tile its text: joined they are the text, but for white space at its ends. After an edit

1. the words before and after everything that changed are kept as they are;
2. in between the old and the new text are cut into atoms (runs of letters and digits, single signs, single characters
   of scripts that are written without spaces), and a longest matching of the atoms (Ratcliff and Obershelp 1988,
   `difflib`) tells which of the old words are still there: those are kept as well;
3. what is new between two kept words takes the place of what was there: word for word where their number is the same,
   and otherwise the stretch of the old words, or the pause where there were none, is shared out by the number of
   characters.

So a kept word keeps its exact times and its probability, times never run backwards or leave the segment, and a word
that a person wrote has probability 1. An inserted word for which there is no pause has no length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate

from recordroute_gateway.library.records import Segment, Word

# Han with its extensions, kana, Thai, Lao, Myanmar, Khmer: words are not divided by spaces. Hangul is.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_ATOM = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]")
# Beyond this a matching takes too long, and what was rewritten that far has little left to keep.
MATCHED_ATOMS = 4000


@dataclass(frozen=True)
class Replaced:
    """Words that gave place to others; one of the two may be empty. `first` says that they begin the segment."""

    old: str
    new: str
    first: bool


@dataclass(frozen=True)
class Realigned:
    """A segment's new words, and what was replaced."""

    words: tuple[Word, ...]
    replaced: tuple[Replaced, ...]


def is_unspaced(character: str) -> bool:
    """Says whether a character belongs to a script that is written without spaces."""
    return _UNSPACED_CHARACTER.match(character) is not None


def tile(text: str) -> list[str]:
    """Cuts a text into words, each with the white space before it: joined they are the text again."""
    words: list[str] = []
    for run in re.findall(r"\s*\S+|\s+$", text):
        if not run.strip():
            if words:
                words[-1] += run
            continue
        start = 0
        for match in re.finditer(f"(?<=[{_UNSPACED}])(?=\\w)|(?<=\\w)(?=[{_UNSPACED}])", run):
            words.append(run[start : match.start()])
            start = match.start()
        words.append(run[start:])
    return words


def spread(texts: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
    """Shares a stretch of time out among words by their number of characters."""
    lengths = [max(1, len(text.strip())) for text in texts]
    total, done = sum(lengths), 0
    words: list[Word] = []
    at = start
    for text, length in zip(texts, lengths, strict=True):
        done += length
        until = end if done == total else min(end, start + (end - start) * done / total)
        words.append(Word(text, at, until, 1.0))
        at = until
    return tuple(words)


def words_of(segment: Segment) -> tuple[Word, ...]:
    """Returns a segment's words: joined, but for white space at the ends, they are its text, and their times rise
    within the segment. Where the recogniser gave none, or others than the text's, they are estimated."""
    joined = "".join(word.text for word in segment.words)
    words = (
        _in_order(segment.words, segment.start, segment.end)
        if joined.strip() == segment.text
        else spread(tile(segment.text), segment.start, segment.end)
    )
    return _trimmed(words)


def realign(
    words: Sequence[Word], text: str, start: float, end: float, *, edited: tuple[int, int] | None = None
) -> Realigned:
    """Returns the words of a segment after its text has become `text`. `words` are those of `words_of`.

    `edited` is where the old text was changed, first code point and one past the last, if that is known: of words that
    stand there twice, those outside are the ones that are kept.
    """
    old = [word.text for word in words]
    low, high = edited if edited is not None else (0, sum(map(len, old)))
    before = min(_kept_before(old, text), _words_before(old, low))
    outer = min(_kept_after(old[before:], text[_length(old[:before]) :]), _words_after(old, high))
    ends = _begin(words[len(words) - outer :], text)
    before += _kept_before(old[before : len(old) - outer], text[_length(old[:before]) : ends])
    begins = _length(old[:before])
    inner = _kept_after(old[before : len(old) - outer], text[begins:ends])
    after = outer + inner
    head, tail = tuple(words[:before]), tuple(words[len(words) - after :])
    ends = _begin(tail, text)
    made, replaced = _rewrite(
        words[before : len(words) - after],
        text[begins:ends],
        head[-1].end if head else start,
        tail[0].start if tail else end,
        first=not head,
    )
    if tail and ends == 0:
        tail = (replace(tail[0], text=tail[0].text.lstrip()), *tail[1:])
    return Realigned(_trimmed((*head, *made, *tail)), tuple(replaced))


def _rewrite(
    words: Sequence[Word], text: str, low: float, high: float, *, first: bool
) -> tuple[list[Word], list[Replaced]]:
    made: list[Word] = []
    replaced: list[Replaced] = []

    def fill(old: Sequence[Word], new: str, until: float) -> None:
        begins = made[-1].end if made else low
        texts = tile(new)
        if new and not texts:
            made.append(Word(new, begins, begins, 1.0))
        if old or texts:
            said = " ".join("".join(word.text for word in old).split())
            replaced.append(Replaced(said, " ".join(new.split()), first and not made))
        if len(texts) == len(old):
            made.extend(
                replace(word, text=written, probability=1.0) for word, written in zip(old, texts, strict=True)
            )
        elif old:
            made.extend(spread(texts, old[0].start, old[-1].end))
        else:
            made.extend(spread(texts, begins, until))

    done, position = 0, 0
    for number, begins, ends in _kept_between(words, text):
        fill(words[done:number], text[position:begins], words[number].start)
        made.append(replace(words[number], text=text[begins:ends]))
        done, position = number + 1, ends
    fill(words[done:], text[position:], high)
    return made, replaced


def _kept_between(words: Sequence[Word], text: str) -> list[tuple[int, int, int]]:
    """Returns the words that `text` still has, each with where it stands, its white space included."""
    new = [(match.group(), match.start(), match.end()) for match in _ATOM.finditer(text)]
    old: list[str] = []
    spans: list[tuple[int, int]] = []
    for word in words:
        atoms = _ATOM.findall(word.text)
        spans.append((len(old), len(old) + len(atoms)))
        old.extend(atoms)
    if not old or not new or len(old) + len(new) > MATCHED_ATOMS:
        return []
    partner: dict[int, int] = {}
    matcher = SequenceMatcher(None, old, [atom for atom, _, _ in new], autojunk=False)
    for block in matcher.get_matching_blocks():
        partner |= {block.a + step: block.b + step for step in range(block.size)}
    kept: list[tuple[int, int, int]] = []
    position, matched = 0, set(partner.values())
    for number, (begin, end) in enumerate(spans):
        places = [partner.get(atom, -1) for atom in range(begin, end)]
        if not places or places[0] < 0 or places != list(range(places[0], places[0] + len(places))):
            continue
        starts, ends = new[places[0]][1], new[places[-1]][2]
        # What is inside a word must not have moved apart, and nothing new may touch it.
        if text[starts:ends] != words[number].text.strip():
            continue
        if _touches(new, places[0] - 1, matched, text, starts) or _touches(
            new, places[-1] + 1, matched, text, ends
        ):
            continue
        while starts > position and text[starts - 1].isspace():
            starts -= 1
        kept.append((number, starts, ends))
        position = ends
    return kept


def _touches(
    atoms: Sequence[tuple[str, int, int]], place: int, matched: set[int], text: str, edge: int
) -> bool:
    if not 0 <= place < len(atoms) or place in matched:
        return False
    return _glued(text, edge)


def _glued(text: str, position: int) -> bool:
    """Says whether the characters before and after a position belong to one word."""
    if not 0 < position < len(text):
        return False
    left, right = text[position - 1], text[position]
    return not (left.isspace() or right.isspace() or is_unspaced(left) or is_unspaced(right))


def _length(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


def _begin(tail: Sequence[Word], text: str) -> int:
    """Returns where the last words of a text begin; the first of them may have lost its white space to the edge."""
    return max(0, len(text) - sum(len(word.text) for word in tail))


def _words_before(old: Sequence[str], position: int) -> int:
    return sum(end <= position for end in accumulate(map(len, old)))


def _words_after(old: Sequence[str], position: int) -> int:
    return sum(end - len(word) >= position for word, end in zip(old, accumulate(map(len, old)), strict=True))


def _kept_before(old: Sequence[str], text: str) -> int:
    """Returns how many words a text begins with as the old one did."""
    joined, position = "".join(old), 0
    for count, word in enumerate(old):
        position += len(word)
        if text[:position] != joined[:position] or (_glued(text, position) and not _glued(joined, position)):
            return count
    return len(old)


def _kept_after(old: Sequence[str], text: str) -> int:
    """Returns how many words a text ends with as the old one did."""
    joined, length = "".join(old), 0
    for count, word in enumerate(reversed(old)):
        if word.lstrip() == text[: len(text) - length]:
            return count + 1
        length += len(word)
        if length > len(text) or text[len(text) - length :] != joined[len(joined) - length :]:
            return count
        if _glued(text, len(text) - length) and not _glued(joined, len(joined) - length):
            return count
    return len(old)


def _in_order(words: Sequence[Word], start: float, end: float) -> tuple[Word, ...]:
    made: list[Word] = []
    at = start
    for word in words:
        begins = min(max(word.start, at), end)
        ends = min(max(word.end, begins), end)
        made.append(
            word if (begins, ends) == (word.start, word.end) else replace(word, start=begins, end=ends)
        )
        at = ends
    return tuple(made)


def _trimmed(words: Sequence[Word]) -> tuple[Word, ...]:
    """Returns the words that have text, without white space at both ends of them all."""
    kept: list[Word] = []
    space = ""
    for word in words:
        if not word.text.strip():
            space += word.text
        else:
            kept.append(replace(word, text=space + word.text) if space else word)
            space = ""
    if kept:
        kept[0] = replace(kept[0], text=kept[0].text.lstrip())
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip())
    return tuple(kept)


def composed(text: str) -> str:
    """Returns a text as it is kept: composed characters (NFC), every white space one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
