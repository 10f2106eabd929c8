"""Picks what matters from the transcript's own sentences: never false, in any language, without a model."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from recordroute_llm.fields import first_of_type
from recordroute_llm.lexicon import GENERIC_TOPICS, KOREAN_VERB_ENDINGS
from recordroute_llm.numerals import is_number
from recordroute_llm.rules import is_question
from recordroute_llm.templates import FieldType
from recordroute_llm.terms import is_hangul, is_stopword, stem, strip_particle, terms, words
from recordroute_llm.transcript import Sentence

MINIMUM_TERMS = 3
# How much a sentence loses for repeating what is picked already (maximal marginal relevance).
REDUNDANCY = 0.7
CANDIDATES = 200
PHRASE_WORDS = 3
MATCHING_TERMS = 2


def pick_sentences(sentences: Sequence[Sentence], count: int) -> list[Sentence]:
    """Returns the `count` sentences, or fewer, that say most of the whole, in order.

    Sentences are scored by the weight of the terms that they share with the rest (the centroid of Radev et al. 2004,
    "Centroid-based summarization of multiple documents"); picked by maximal marginal relevance (Carbonell and
    Goldstein 1998). Questions and sentences with hardly any content are left out.
    """
    bags = [terms(sentence.text) for sentence in sentences]
    spread = Counter(term for bag in bags for term in bag)
    scores: dict[int, float] = {}
    for place, bag in enumerate(bags):
        if len(bag) >= MINIMUM_TERMS and not is_question(sentences[place].text):
            weight = sum(math.log1p(spread[term]) for term in bag)
            scores[place] = weight / math.sqrt(len(bag) + 6)
    candidates = sorted(scores, key=lambda place: -scores[place])[:CANDIDATES]
    picked: list[int] = []
    while candidates and len(picked) < count:
        best = max(
            candidates,
            key=lambda place: (
                scores[place]
                * (
                    1
                    - REDUNDANCY * max((_overlap(bags[place], bags[other]) for other in picked), default=0.0)
                )
            ),
        )
        candidates.remove(best)
        picked.append(best)
    return [sentences[place] for place in sorted(picked)]


def matching_sentences(
    sentences: Sequence[Sentence], wanted: str, types: Sequence[FieldType], count: int
) -> list[Sentence]:
    """Returns up to `count` sentences, in order, that are about what an instruction asks for: they share two of its
    terms, or they hold an amount or a date where such fields are wanted."""
    asked = terms(wanted)
    needs = [kind for kind in types if kind in (FieldType.AMOUNT, FieldType.DATE)]
    scores: dict[int, int] = {}
    for place, sentence in enumerate(sentences):
        if is_question(sentence.text) or len(terms(sentence.text)) < MINIMUM_TERMS:
            continue
        held = sum(bool(first_of_type(kind, (sentence,))) for kind in needs)
        score = len(asked & terms(sentence.text)) + 2 * held
        if score >= MATCHING_TERMS:
            scores[place] = score
    best = sorted(scores, key=lambda place: (-scores[place], place))[:count]
    return [sentences[place] for place in sorted(best)]


def _overlap(left: set[str], right: set[str]) -> float:
    return len(left & right) / min(len(left), len(right)) if left and right else 0.0


def key_phrases(sentences: Sequence[Sentence], count: int) -> list[tuple[str, list[Sentence]]]:
    """Returns up to `count` phrases that are said in at least two sentences, best first, each with its sentences.

    Candidates are runs of content words between stopwords (RAKE, Rose et al. 2010); a single word has to be said in
    three sentences. Longer and more frequent ones win, and no two share a word.
    """
    found: dict[tuple[str, ...], dict[int, None]] = defaultdict(dict)
    spellings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for place, sentence in enumerate(sentences):
        for run in _runs(sentence.text):
            for size in range(1, PHRASE_WORDS + 1):
                for start in range(len(run) - size + 1):
                    phrase = run[start : start + size]
                    if size == 1 and not _is_topical(phrase[0]):
                        continue
                    key = tuple(stem(word) if not is_hangul(word) else word for word in phrase)
                    found[key][place] = None
                    spellings[key][" ".join(phrase)] += 1
    ranked = sorted(
        (key for key, places in found.items() if len(places) >= (3 if len(key) == 1 else 2)),
        key=lambda key: (-len(found[key]) * len(key) ** 1.5, min(found[key])),
    )
    chosen: list[tuple[str, ...]] = []
    for key in ranked:
        if len(chosen) == count:
            break
        if not any(set(key) & set(other) for other in chosen):
            chosen.append(key)
    return [
        (spellings[key].most_common(1)[0][0], [sentences[place] for place in found[key]]) for key in chosen
    ]


def _is_topical(word: str) -> bool:
    if word.casefold() in GENERIC_TOPICS:
        return False
    return len(word) >= 2 if is_hangul(word) else len(word) >= 5 and not word.endswith(("ed", "ing", "ly"))


def _runs(text: str) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for part in text.replace("'", "’").split():
        tokens = words(part)
        for word in tokens:
            noun = strip_particle(word) if is_hangul(word) else word
            if (
                is_stopword(word)
                or is_stopword(noun)
                or (is_hangul(word) and word.endswith(KOREAN_VERB_ENDINGS))
                or is_number(word)
            ):
                runs.append([])
                continue
            runs[-1].append(noun)
            if noun != word:
                runs.append([])
        if not tokens or part[-1] in ",.;:!?":
            runs.append([])
    return [run for run in runs if run]
