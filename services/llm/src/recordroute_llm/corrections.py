"""Proposes corrections of recognition errors: towards the vocabulary by sound, and by the model where code agrees.

Nothing is rewritten. Names and numbers change only towards the vocabulary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import CancelToken

from recordroute_llm.chunks import chunk_sentences
from recordroute_llm.engine import Engine, Usage
from recordroute_llm.lexicon import KOREAN_PARTICLES
from recordroute_llm.minutes import Progress
from recordroute_llm.numerals import is_number
from recordroute_llm.phonetics import alikeness
from recordroute_llm.prompts import corrections_prompt
from recordroute_llm.terms import is_hangul, is_stopword, names, numbers
from recordroute_llm.transcript import Segment, sentences_of

# Below it two words merely have some sounds in common.
VOCABULARY_ALIKE = 0.72
MODEL_ALIKE = 0.7
# Short terms sound like a lot.
SHORT_LETTERS, SHORT_ALIKE = 5, 0.85
# A recogniser that was sure of a word is seldom wrong about it.
SURE = 0.9

_WORD = re.compile(r"[^\s.,!?;:\"'“”‘’()\[\]…]+(?:['’-][^\s.,!?;:\"'“”‘’()\[\]…]+)*")
_PARTICLES = sorted(KOREAN_PARTICLES, key=len, reverse=True)


class Reason(Enum):
    """Why a correction is proposed."""

    VOCABULARY = auto()
    MODEL = auto()


@dataclass(frozen=True)
class Correction:
    """A proposal; `start` and `end` are code points of the segment's text, `confidence` is 0 to 1."""

    segment_index: int
    start: int
    end: int
    original: str
    replacement: str
    reason: Reason
    confidence: float


def correct(
    segments: Sequence[Segment],
    vocabulary: Sequence[str],
    probabilities: Mapping[int, Sequence[float]],
    engine: Engine,
    chunk_tokens: int,
    token: CancelToken,
) -> Iterator[Correction | Progress | Usage]:
    """Yields proposals in the order of the transcript chunk by chunk, progress, and at last what it cost.

    `probabilities` has, by segment index, the recogniser's probability of each word where it is known. Raises
    InvalidInput (EMPTY_TRANSCRIPT) and what the engine raises.
    """
    sentences = sentences_of(segments)
    if not any(character.isalnum() for sentence in sentences for character in sentence.text):
        raise InvalidInput("EMPTY_TRANSCRIPT", "the transcript has no text")
    counts = engine.count_tokens([sentence.text for sentence in sentences]).counts
    chunks = chunk_sentences(sentences, counts, chunk_tokens)
    usage = Usage()
    done: set[int] = set()
    for number, chunk in enumerate(chunks):
        yield Progress(number, len(chunks))
        token.raise_if_cancelled()
        here = {segment.index: segment for sentence in chunk.sentences for segment in sentence.segments}
        answer = engine.generate(corrections_prompt(chunk.text), token)
        usage += answer.usage
        proposed = _read(answer.text)
        for index in sorted(here.keys() - done):
            found = towards_vocabulary(here[index], vocabulary, probabilities.get(index, ()))
            yield from found
            yield from _by_model(here[index], proposed, found)
        done |= here.keys()
    yield Progress(len(chunks), len(chunks))
    yield usage


def towards_vocabulary(
    segment: Segment, vocabulary: Sequence[str], probabilities: Sequence[float] = ()
) -> list[Correction]:
    """Returns the places of a segment that sound like a term of the vocabulary, in order and without overlaps."""
    words = list(_WORD.finditer(segment.text))
    known = {term.casefold() for term in vocabulary}
    candidates: list[Correction] = []
    for term in vocabulary:
        width = len(term.split())
        for size in range(max(1, width - 1), width + 2):
            for place in range(len(words) - size + 1):
                start = words[place].start()
                original, end = _without_particle(
                    segment.text[start : words[place + size - 1].end()], start, term
                )
                if any(other in original.casefold() for other in known) or all(
                    map(is_stopword, original.split())
                ):
                    continue
                sure = min(probabilities[place : place + size], default=0.0)
                alike = alikeness(original, term)
                enough = SHORT_ALIKE if len(term) <= SHORT_LETTERS else VOCABULARY_ALIKE
                if alike < enough or (sure > SURE and alike < (1 + enough) / 2):
                    continue
                confidence = alike * (1 - 0.3 * sure)
                candidates.append(
                    Correction(segment.index, start, end, original, term, Reason.VOCABULARY, confidence)
                )
    chosen: list[Correction] = []
    for candidate in sorted(candidates, key=lambda candidate: (-candidate.confidence, candidate.start)):
        if all(candidate.end <= other.start or candidate.start >= other.end for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=lambda candidate: candidate.start)


def _without_particle(text: str, start: int, term: str) -> tuple[str, int]:
    """Takes a Korean particle that the term itself does not end with off the end of a text; returns it and its end."""
    if is_hangul(text[-1:]) and is_hangul(term[-1:]):
        for particle in _PARTICLES:
            if text.endswith(particle) and not term.endswith(particle) and len(text) > len(particle) + 1:
                text = text.removesuffix(particle)
                break
    return text, start + len(text)


def _read(text: str) -> list[tuple[str, str]]:
    """Returns the model's proposals: what is not understood proposes nothing."""
    try:
        answer = json.loads(text)
    except ValueError:
        return []
    pairs = answer.get("corrections", []) if isinstance(answer, dict) else []
    return [
        (pair["wrong"], pair["right"])
        for pair in pairs
        if isinstance(pair, dict)
        and isinstance(pair.get("wrong"), str)
        and isinstance(pair.get("right"), str)
    ]


def _by_model(
    segment: Segment, proposed: Sequence[tuple[str, str]], taken: Sequence[Correction]
) -> Iterator[Correction]:
    for wrong, right in proposed:
        if not _believable(wrong, right):
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(wrong)}(?!\w)", segment.text):
            if all(match.end() <= other.start or match.start() >= other.end for other in taken):
                alike = alikeness(wrong, right)
                yield Correction(
                    segment.index, match.start(), match.end(), wrong, right, Reason.MODEL, alike / 2
                )


def _believable(wrong: str, right: str) -> bool:
    """Says whether a model's proposal may be shown: another word that sounds alike, and neither name nor number."""
    if not wrong.strip() or not right.strip() or wrong.casefold() == right.casefold():
        return False
    both = f"x {wrong} {right}"
    if numbers(both) or names(both) or any(map(is_number, [*wrong.split(), *right.split()])):
        return False
    return len(right.split()) <= len(wrong.split()) + 1 and alikeness(wrong, right) >= MODEL_ALIKE
