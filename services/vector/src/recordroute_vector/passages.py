"""Cuts a transcript or a document into passages of whole sentences, sized in the embedding model's tokens.

Sentences run over the borders of segments and lines and end at a closing sign, at another speaker, at a long pause, or
with the paragraph. A passage begins with the last sentences of the passage before it and takes as many more as fit, or
some less: within the last part of its room it ends where a paragraph, a pause or a speaker does, and else at a
sentence that its own words choose. Borders that hang on what stands around them, and not on how much stands before,
find themselves again behind an edit ("content-defined chunking": Muthitacharoen, Chen and Mazières, "A Low-bandwidth
Network File System", 2001), so that the passages behind it stay as they were and need no new vectors.

A sentence that is longer than a passage is cut between segments, then behind a clause, between words, and anywhere.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from recordroute_vector.domain import Passage, Segment, TextBlock
from recordroute_vector.sentences import ends_sentence, sentence_spans
from recordroute_vector.tokenizer import TextTokenizer

# People who stop talking for so long begin something new.
PAUSE_SECONDS = 3.0
# A tokenizer may see one token in a very long run of unknown signs: such text counts by its characters.
CHARACTERS_PER_TOKEN = 24
# A passage may end from here on.
MIN_FILL = 0.6
# Signs behind a clause, and the Korean endings that join clauses.
_CLAUSE = re.compile(r"(?:[,;:，、；：]|[–—-](?=\s)|(?<=[가-힣])(?:고|며|서|니까|지만|는데|은데|면))\s+")


@dataclass(frozen=True)
class _Piece:
    """A part of one segment or block. `opens`: no sentence runs over into it; `glued`: it goes on in the middle of a
    word."""

    text: str
    start: float
    end: float
    index: int
    speaker: str = ""
    page: int = 0
    line: int = 0
    opens: bool = False
    tokens: int = 0
    glued: bool = False


_Sentence = list[_Piece]


@dataclass(frozen=True)
class PassageLimits:
    """Most tokens of a passage, and of those the most tokens and whole sentences that repeat the passage before."""

    max_tokens: int
    overlap_tokens: int
    overlap_sentences: int | None = None


class PassageSplitter:
    """Makes passages within `limits`."""

    def __init__(self, tokenizer: TextTokenizer, limits: PassageLimits) -> None:
        self.limits = limits
        self._tokenizer = tokenizer
        self._max_tokens = limits.max_tokens

    def within(self, limits: PassageLimits) -> PassageSplitter:
        """Returns a splitter with the same tokenizer and other limits."""
        return PassageSplitter(self._tokenizer, limits)

    def split(self, segments: Sequence[Segment]) -> list[Passage]:
        """Returns the passages of a transcript in order. Together they hold all text of the segments but for white
        space; the times inside of a segment are estimated by the place in its text."""
        return self._split([piece for segment in segments for piece in _speech_pieces(segment)])

    def split_document(self, blocks: Sequence[TextBlock]) -> list[Passage]:
        """Returns the passages of a document in order, as `split` does; times are 0."""
        return self._split(list(_text_pieces(blocks)))

    def _split(self, pieces: Sequence[_Piece]) -> list[Passage]:
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
            piece = replace(
                piece, text=tail, start=middle, tokens=self._count(tail), glued=glued, opens=False
            )
        yield piece

    def _cut(self, text: str) -> int:
        """Returns the best place to cut at so that what is before it fits: the last one behind a clause in the second
        half of what fits, else between words, else the greatest."""
        offsets = self._tokenizer.offsets(text)
        limit = min(self._max_tokens * CHARACTERS_PER_TOKEN, len(text) - 1)
        if len(offsets) > self._max_tokens:
            limit = min(limit, offsets[self._max_tokens - 1][1])
        while True:
            clauses = [match.end() for match in _CLAUSE.finditer(text, limit // 2, limit + 1)]
            space = text.rfind(" ", 1, limit + 1)
            cut = clauses[-1] if clauses else space if space > 0 else max(1, limit)
            # Cut out of its context a text can have more tokens than it had there.
            if cut == 1 or self._count(text[:cut].rstrip()) <= self._max_tokens:
                return cut
            limit = cut - 1

    def _count(self, text: str) -> int:
        return _size(text, self._tokenizer.count([text])[0])

    def _pack(self, units: Sequence[_Sentence]) -> Iterator[list[_Sentence]]:
        sizes = [_tokens(unit) for unit in units]
        repeated: list[_Sentence] = []
        first = 0
        while first < len(units):
            end = self._end(units, sizes, first, sum(map(_tokens, repeated)))
            passage = [*repeated, *units[first:end]]
            yield passage
            if end < len(units):
                repeated = self._overlap(passage, self._max_tokens - sizes[end])
            first = end

    def _end(self, units: Sequence[_Sentence], sizes: Sequence[int], first: int, tokens: int) -> int:
        """Returns one past the last unit of the passage that begins with `first` behind `tokens` repeated ones."""
        choices = []
        end = first
        while end < len(units) and (end == first or tokens + sizes[end] <= self._max_tokens):
            tokens += sizes[end]
            end += 1
            if tokens >= MIN_FILL * self._max_tokens:
                choices.append(end)
        if end == len(units) or not choices:
            return end
        return max(choices, key=lambda choice: (_opens(units[choice]), _mark(units[choice - 1])))

    def _overlap(self, passage: Sequence[_Sentence], room: int) -> list[_Sentence]:
        room = min(room, self.limits.overlap_tokens)
        repeated: list[_Sentence] = []
        for unit in reversed(passage[1:]):
            room -= _tokens(unit)
            if room < 0 or len(repeated) == self.limits.overlap_sentences:
                break
            repeated.insert(0, unit)
        return repeated


def content_hash(text: str) -> str:
    """Returns 32 hexadecimal digits that name a text, whatever its white space and the way its letters are composed
    in Unicode."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.blake2b(plain.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _size(text: str, tokens: int) -> int:
    return max(tokens, -(-len(text) // CHARACTERS_PER_TOKEN))


def _tokens(sentence: _Sentence) -> int:
    return sum(piece.tokens for piece in sentence)


def _opens(sentence: _Sentence) -> bool:
    return sentence[0].opens


def _mark(sentence: _Sentence) -> bytes:
    text = " ".join(piece.text for piece in sentence)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


def _speech_pieces(segment: Segment) -> Iterator[_Piece]:
    text = " ".join(segment.text.split())
    end = max(segment.start, segment.end)
    seconds = (end - segment.start) / max(1, len(text))
    for first, last in sentence_spans(text):
        stop = end if last == len(text) else segment.start + last * seconds
        yield _Piece(
            text[first:last], segment.start + first * seconds, stop, segment.index, speaker=segment.speaker
        )


def _text_pieces(blocks: Iterable[TextBlock]) -> Iterator[_Piece]:
    opens = False
    for block in blocks:
        opens = opens or block.starts_paragraph
        for number, line in enumerate(block.text.splitlines()):
            text = " ".join(line.split())
            place = block.line + number if block.line else 0
            for first, last in sentence_spans(text):
                yield _Piece(
                    text[first:last], 0.0, 0.0, block.index, page=block.page, line=place, opens=opens
                )
                opens = False
            opens = opens or not text


def _join_sentences(pieces: Iterable[_Piece]) -> Iterator[_Sentence]:
    sentence: _Sentence = []
    for piece in pieces:
        if sentence:
            last = sentence[-1]
            new = piece.speaker != last.speaker or piece.start - last.end > PAUSE_SECONDS
            piece = replace(piece, opens=True) if new else piece
            if piece.opens or ends_sentence(last.text):
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
        first_segment_index=min(piece.index for piece in pieces),
        last_segment_index=max(piece.index for piece in pieces),
        speakers=tuple(dict.fromkeys(piece.speaker for piece in pieces if piece.speaker)),
        page=pieces[0].page,
        line=pieces[0].line,
        content_hash=content_hash(text),
    )
