"""Cuts a transcript into passages of whole sentences, sized in the embedding model's tokens.

Sentences run over the borders of segments and end at a closing sign, at another speaker, or at a long pause. A
passage takes as many as fit, and begins with the last ones of the passage before it. A sentence that is longer than a
passage is cut between segments, then between words, then anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from recordroute_vector.domain import Passage, Segment
from recordroute_vector.sentences import ends_sentence, sentence_spans
from recordroute_vector.tokenizer import TextTokenizer

# People who stop talking for so long begin something new.
PAUSE_SECONDS = 3.0
# A tokenizer may see one token in a very long run of unknown signs: such text counts by its characters.
CHARACTERS_PER_TOKEN = 24


@dataclass(frozen=True)
class _Piece:
    """A part of one segment's text. `glued`: it goes on in the middle of a word."""

    text: str
    start: float
    end: float
    segment: Segment
    tokens: int = 0
    glued: bool = False


_Sentence = list[_Piece]


class PassageSplitter:
    """Makes passages of at most `max_tokens` tokens of which at most `overlap_tokens` repeat the passage before."""

    def __init__(self, tokenizer: TextTokenizer, *, max_tokens: int, overlap_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._overlap_tokens = overlap_tokens

    def split(self, segments: Sequence[Segment]) -> list[Passage]:
        """Returns the passages in order. Together they hold all text of the segments but for white space; the times
        inside of a segment are estimated by the place in its text."""
        pieces = [piece for segment in segments for piece in _cut_into_sentences(segment)]
        counts = self._tokenizer.count([piece.text for piece in pieces])
        sized = [
            replace(piece, tokens=_size(piece.text, count))
            for piece, count in zip(pieces, counts, strict=True)
        ]
        units = [unit for sentence in _join_sentences(sized) for unit in self._fit(sentence)]
        return [_passage(index, unit) for index, unit in enumerate(self._pack(units))]

    def _fit(self, sentence: _Sentence) -> Iterator[_Sentence]:
        """Yields the sentence, in parts where it is too long for a passage."""
        if _tokens(sentence) <= self._max_tokens:
            yield sentence
            return
        part: _Sentence = []
        for piece in sentence:
            for shard in self._fit_piece(piece):
                if part and _tokens(part) + shard.tokens > self._max_tokens:
                    yield part
                    part = []
                part.append(shard)
        yield part

    def _fit_piece(self, piece: _Piece) -> Iterator[_Piece]:
        while piece.tokens > self._max_tokens:
            cut = self._cut(piece.text)
            head, tail = piece.text[:cut].rstrip(), piece.text[cut:].lstrip()
            middle = piece.start + (piece.end - piece.start) * cut / len(piece.text)
            yield replace(piece, text=head, end=middle, tokens=self._count(head))
            glued = not (piece.text[cut - 1].isspace() or piece.text[cut].isspace())
            piece = replace(piece, text=tail, start=middle, tokens=self._count(tail), glued=glued)
        yield piece

    def _cut(self, text: str) -> int:
        """Returns the greatest place to cut at, best between words, so that what is before it fits."""
        offsets = self._tokenizer.offsets(text)
        limit = min(self._max_tokens * CHARACTERS_PER_TOKEN, len(text) - 1)
        if len(offsets) > self._max_tokens:
            limit = min(limit, offsets[self._max_tokens - 1][1])
        while True:
            space = text.rfind(" ", 1, limit + 1)
            cut = space if space > 0 else max(1, limit)
            # Cut out of its context a text can have more tokens than it had there.
            if cut == 1 or self._count(text[:cut].rstrip()) <= self._max_tokens:
                return cut
            limit = cut - 1

    def _count(self, text: str) -> int:
        return _size(text, self._tokenizer.count([text])[0])

    def _pack(self, units: Iterable[_Sentence]) -> Iterator[list[_Sentence]]:
        passage: list[_Sentence] = []
        tokens = 0
        for unit in units:
            size = _tokens(unit)
            if passage and tokens + size > self._max_tokens:
                yield passage
                passage = self._overlap(passage, self._max_tokens - size)
                tokens = sum(map(_tokens, passage))
            passage.append(unit)
            tokens += size
        if passage:
            yield passage

    def _overlap(self, passage: Sequence[_Sentence], room: int) -> list[_Sentence]:
        room = min(room, self._overlap_tokens)
        repeated: list[_Sentence] = []
        for unit in reversed(passage[1:]):
            room -= _tokens(unit)
            if room < 0:
                break
            repeated.insert(0, unit)
        return repeated


def _size(text: str, tokens: int) -> int:
    return max(tokens, -(-len(text) // CHARACTERS_PER_TOKEN))


def _tokens(sentence: _Sentence) -> int:
    return sum(piece.tokens for piece in sentence)


def _cut_into_sentences(segment: Segment) -> Iterator[_Piece]:
    text = " ".join(segment.text.split())
    end = max(segment.start, segment.end)
    seconds = (end - segment.start) / max(1, len(text))
    for first, last in sentence_spans(text):
        stop = end if last == len(text) else segment.start + last * seconds
        yield _Piece(text[first:last], segment.start + first * seconds, stop, segment)


def _join_sentences(pieces: Iterable[_Piece]) -> Iterator[_Sentence]:
    sentence: _Sentence = []
    for piece in pieces:
        if sentence:
            last = sentence[-1]
            if (
                ends_sentence(last.text)
                or last.segment.speaker != piece.segment.speaker
                or piece.start - last.end > PAUSE_SECONDS
            ):
                yield sentence
                sentence = []
        sentence.append(piece)
    if sentence:
        yield sentence


def _passage(index: int, sentences: Sequence[_Sentence]) -> Passage:
    pieces = [piece for sentence in sentences for piece in sentence]
    text = pieces[0].text + "".join(piece.text if piece.glued else f" {piece.text}" for piece in pieces[1:])
    return Passage(
        index=index,
        text=text,
        start=min(piece.start for piece in pieces),
        end=max(piece.end for piece in pieces),
        first_segment_index=min(piece.segment.index for piece in pieces),
        last_segment_index=max(piece.segment.index for piece in pieces),
        speakers=tuple(dict.fromkeys(piece.segment.speaker for piece in pieces if piece.segment.speaker)),
    )
