"""Transcripts as the tasks see them: segments, and the sentences that run through them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from recordroute_llm.lexicon import ABBREVIATIONS

# Recognisers leave out full stops; a sentence longer than this is cut where a segment or a clause ends, or at a space.
SENTENCE_CHARACTERS = 240
CLAUSE_CHARACTERS = 60

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’]*")
# Better borders first.
_CLAUSES = (
    re.compile(r"(?<=[,;:，、]) "),
    re.compile(r" (?=(?:and|but|so|because|then|그리고|그래서|하지만|그런데) )"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class Segment:
    """A stretch of speech; times in seconds from the start of the recording."""

    index: int
    start: float
    end: float
    text: str
    speaker: str = ""


@dataclass(frozen=True)
class Sentence:
    """A sentence of one speaker and the segments that it touches, in order; never empty."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def speaker(self) -> str:
        """Who says it; empty where it is not known."""
        return self.segments[0].speaker


def clean(text: str) -> str:
    """Returns the text on one line without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def split_sentences(text: str) -> Iterator[str]:
    """Splits text behind sentence marks, but not behind abbreviations or initials; nothing but white space is lost."""
    start = 0
    for match in _END.finditer(text):
        word = text[start : match.start()].rsplit(maxsplit=1)[-1:] or [""]
        last = word[0].lstrip("\"'“‘([").casefold()
        if match.group().startswith(".") and (
            last in ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last != "i")
        ):
            continue
        yield text[start : match.end()].strip()
        start = match.end()
    if text[start:].strip():
        yield text[start:].strip()


def _last_border(clause: re.Pattern[str], text: str) -> int:
    borders = [match.start() for match in clause.finditer(text, CLAUSE_CHARACTERS, SENTENCE_CHARACTERS)]
    return borders[-1] if borders else 0


def _fold(text: str) -> Iterator[str]:
    """Cuts text into pieces of at most SENTENCE_CHARACTERS: between clauses, else between words, else anywhere."""
    while len(text) > SENTENCE_CHARACTERS:
        cut = next(filter(None, (_last_border(clause, text) for clause in _CLAUSES)), 0)
        cut = cut or max(text.rfind(" ", 1, SENTENCE_CHARACTERS + 1), 0) or SENTENCE_CHARACTERS
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text


def sentences_of(segments: Iterable[Segment]) -> list[Sentence]:
    """Returns the sentences of a transcript in order. A sentence goes on over the segments of one speaker; together
    the sentences hold every character of the segments but white space and control characters."""
    sentences: list[Sentence] = []
    open_text = ""
    open_segments: list[Segment] = []

    def finish() -> None:
        nonlocal open_text
        if open_text:
            sentences.append(Sentence(open_text, tuple(open_segments)))
        open_text = ""
        open_segments.clear()

    for segment in segments:
        text = clean(segment.text)
        if not text:
            continue
        if open_segments and (
            open_segments[0].speaker != segment.speaker or len(open_text) + len(text) > SENTENCE_CHARACTERS
        ):
            finish()
        for part in split_sentences(text):
            for piece in _fold(part):
                if open_text and len(open_text) + len(piece) >= SENTENCE_CHARACTERS:
                    finish()
                open_text = f"{open_text} {piece}".strip()
                if not open_segments or open_segments[-1] is not segment:
                    open_segments.append(segment)
                if piece[-1] in ".!?…。！？\"'”’)]」』":
                    finish()
    finish()
    return sentences
