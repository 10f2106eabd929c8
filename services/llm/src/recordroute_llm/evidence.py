"""Binds a written line to the sentences that it rests on, or finds that nothing supports it.

Code decides, not the model: a line holds where its content words stand close together in the transcript and where all
of its numbers and names, and its denial, stand there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recordroute_llm.terms import is_negated, names, numbers, stem, terms, words
from recordroute_llm.transcript import Segment, Sentence

# Shares of a line's content terms that its evidence must hold.
CLOSE_COVERAGE = 0.8
LOOSE_COVERAGE = 0.7
WINDOW_SENTENCES = 2
LOOSE_SENTENCES = 6


@dataclass(frozen=True)
class _Features:
    terms: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool


class EvidenceIndex:
    """The sentences of a transcript, ready to be compared with lines."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._sentences = sentences
        self._speakers = sorted({sentence.speaker for sentence in sentences if sentence.speaker})
        self._features = [
            _Features(
                frozenset(terms(sentence.text)),
                frozenset(numbers(sentence.text)),
                frozenset(word.casefold() for word in words(f"{sentence.speaker} {sentence.text}")),
                is_negated(sentence.text),
            )
            for sentence in sentences
        ]

    def find(self, line: str) -> tuple[Sentence, ...]:
        """Returns the sentences that support a statement of one fact, in order; empty where none do.

        They are the fewest consecutive sentences, at most WINDOW_SENTENCES, that hold CLOSE_COVERAGE of its terms.
        """
        return self._close(self._line(line), CLOSE_COVERAGE)

    def find_loose(self, line: str) -> tuple[Sentence, ...]:
        """Returns the sentences that support a summing sentence, in order; empty where none do.

        A sentence without numbers and with at most one name may rest on up to LOOSE_SENTENCES sentences from
        anywhere; any other has to hold in one place.
        """
        wanted = self._line(line)
        close = self._close(wanted, LOOSE_COVERAGE)
        if close or wanted.numbers or len(wanted.names) > 1 or wanted.negated:
            return close
        return self._cover(wanted)

    def _line(self, line: str) -> _Features:
        found = names(line, self._speakers)
        return _Features(
            # Names have to be there anyway: counted as terms, they would make up for words that are not.
            frozenset(terms(line) - {stem(name) for name in found}),
            frozenset(numbers(line)),
            frozenset(found),
            is_negated(line),
        )

    def _close(self, wanted: _Features, coverage: float) -> tuple[Sentence, ...]:
        if not wanted.terms:
            return ()
        for width in range(1, WINDOW_SENTENCES + 1):
            best, best_start = 0.0, -1
            for start in range(len(self._sentences) - width + 1):
                window = self._features[start : start + width]
                shared = len(wanted.terms & _union(part.terms for part in window))
                if shared <= best or not self._agrees(wanted, window):
                    continue
                best, best_start = shared, start
            if best >= coverage * len(wanted.terms):
                return tuple(self._sentences[best_start : best_start + width])
        return ()

    @staticmethod
    def _agrees(wanted: _Features, window: Sequence[_Features]) -> bool:
        if not wanted.numbers <= _union(part.numbers for part in window):
            return False
        # The sentence that the line is most like says who it is about, and whether something is denied.
        nearest = max(window, key=lambda part: len(part.terms & wanted.terms))
        return wanted.names <= nearest.names and nearest.negated == wanted.negated

    def _cover(self, wanted: _Features) -> tuple[Sentence, ...]:
        missing = set(wanted.terms)
        picked: list[int] = []
        while missing and len(picked) < LOOSE_SENTENCES:
            best = max(
                range(len(self._features)), key=lambda place: len(missing & self._features[place].terms)
            )
            gained = missing & self._features[best].terms
            if not gained:
                break
            missing -= gained
            picked.append(best)
        if not picked or len(missing) > (1 - LOOSE_COVERAGE) * len(wanted.terms):
            return ()
        if not wanted.names <= self._features[picked[0]].names:
            return ()
        return tuple(self._sentences[place] for place in sorted(picked))


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def segments_of(sentences: Iterable[Sentence]) -> tuple[Segment, ...]:
    """Returns the segments that sentences touch, each once, in order."""
    found = {segment.index: segment for sentence in sentences for segment in sentence.segments}
    return tuple(found[index] for index in sorted(found))
