"""Cuts a transcript into chunks that a model can read, at sentence borders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recordroute_llm.transcript import Sentence


@dataclass(frozen=True)
class Chunk:
    """Consecutive sentences and how many tokens they have together; `lead` is the end of the chunk before, for what
    the first sentences lean on."""

    sentences: tuple[Sentence, ...]
    tokens: int
    lead: tuple[Sentence, ...] = ()

    @property
    def text(self) -> str:
        """The text for the model, its lead included: a line for each turn. Speakers are left out, since small models
        put one speaker's words into another's mouth."""
        lines: list[str] = []
        speaker: str | None = None
        for sentence in (*self.lead, *self.sentences):
            if lines and sentence.speaker == speaker:
                lines[-1] += f" {sentence.text}"
            else:
                lines.append(sentence.text)
            speaker = sentence.speaker
        return "\n".join(lines)

    @property
    def start(self) -> float:
        """Seconds at which the first segment begins."""
        return self.sentences[0].segments[0].start

    @property
    def end(self) -> float:
        """Seconds at which the last segment ends."""
        return self.sentences[-1].segments[-1].end


def chunk_sentences(
    sentences: Sequence[Sentence], tokens: Sequence[int], limit: int, overlap: int = 0
) -> list[Chunk]:
    """Packs all sentences, in order, into chunks of about the same size and of at most `limit` tokens each.

    `tokens[i]` counts sentence `i`. A sentence of more than `limit` tokens gets a chunk of its own. The lead of a chunk
    has at most `overlap` tokens, which don't count.
    """
    left = sum(tokens)
    if not left:
        return []
    aim = left / math.ceil(left / limit)
    chunks: list[Chunk] = []
    current: list[Sentence] = []
    size = 0
    for sentence, count in zip(sentences, tokens, strict=True):
        over = size + count > limit
        # The border that is nearer to the aim wins.
        behind = size + count - aim > aim - size
        if current and (over or behind):
            chunks.append(Chunk(tuple(current), size))
            left -= size
            aim = left / math.ceil(left / limit)
            current, size = [], 0
        current.append(sentence)
        size += count
    if current:
        chunks.append(Chunk(tuple(current), size))
    return _with_leads(chunks, tokens, overlap)


def _with_leads(chunks: list[Chunk], tokens: Sequence[int], overlap: int) -> list[Chunk]:
    done: list[Chunk] = []
    first = 0
    for number, chunk in enumerate(chunks):
        lead: list[Sentence] = []
        room = overlap
        before = chunks[number - 1].sentences if number else ()
        for back, sentence in enumerate(reversed(before), 1):
            room -= tokens[first - back]
            if room < 0:
                break
            lead.insert(0, sentence)
        done.append(replace(chunk, lead=tuple(lead)))
        first += len(chunk.sentences)
    return done
