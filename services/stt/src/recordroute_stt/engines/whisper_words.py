"""Word times from the decoder's attention.

Dynamic time warping over the cross-attention of the model's alignment heads gives each token its frames; the
corrections after it are those of https://github.com/openai/whisper (timing.py): punctuation belongs to its word, and
the words beside a pause, whose attention strays into it, are no longer than twice the median word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from faster_whisper.tokenizer import Tokenizer

from recordroute_stt.domain import Word
from recordroute_stt.engines.whisper_tokens import TimedTokens

SECONDS_PER_FRAME = 0.02

OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"

MAX_MEDIAN_SECONDS = 0.7
# Of a word longer than that many medians the rest is the pause beside it.
MAX_MEDIANS = 2.0
# Segment times are tokens that the model wrote: nearer than this the attention knows better.
TRUST_SECONDS = 0.5


@dataclass(frozen=True)
class Alignment:
    """What the model's alignment says of text tokens.

    `steps` pairs token and frame indices along the warping path, `probabilities` holds one value a token.
    """

    steps: Sequence[tuple[int, int]]
    probabilities: Sequence[float]


def words_of(
    parts: Sequence[TimedTokens], alignment: Alignment, tokenizer: Tokenizer, *, seconds: float
) -> tuple[tuple[Word, ...], ...]:
    """Returns the words of each part, with times from the start of the window of `seconds`.

    Starts never run backwards, and a word ends before the next begins.
    """
    if not alignment.steps:
        return tuple(() for _ in parts)
    tokens = [token for part in parts for token in part.tokens]
    texts, groups = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    bounds = np.concatenate([[0], np.cumsum([len(group) for group in groups[:-1]])])
    steps = np.asarray(alignment.steps)
    first_frames = steps[np.concatenate([[True], np.diff(steps[:, 0]) > 0]), 1] * SECONDS_PER_FRAME
    # The path may end before the end of text has a frame of its own.
    times = np.append(first_frames, first_frames[-1])[np.minimum(bounds, len(first_frames))]
    owners = np.repeat(np.arange(len(parts)), [len(part.tokens) for part in parts])
    placed = [
        (
            int(owners[bounds[index]]),
            Word(
                texts[index],
                float(times[index]),
                float(times[index + 1]),
                float(np.mean(alignment.probabilities[bounds[index] : bounds[index + 1]])),
            ),
        )
        for index in range(len(groups) - 1)
    ]
    words: list[list[Word]] = [[] for _ in parts]
    for owner, word in merge_punctuation(placed):
        words[owner].append(word)
    return _in_order(_without_pauses(parts, words), seconds)


def merge_punctuation(words: Sequence[tuple[int, Word]]) -> list[tuple[int, Word]]:
    """Puts punctuation that stands alone to the word that it belongs to; the numbers go along."""
    merged: list[tuple[int, Word]] = []
    opening = ""
    for owner, word in words:
        text = word.text.strip()
        if word.text.startswith(" ") and text and text in OPENING:
            opening += word.text
        elif merged and not opening and text and text in CLOSING and not word.text.startswith(" "):
            before, last = merged[-1]
            merged[-1] = before, replace(last, text=last.text + word.text)
        else:
            merged.append((owner, replace(word, text=opening + word.text)))
            opening = ""
    return merged


def _without_pauses(parts: Sequence[TimedTokens], words: list[list[Word]]) -> list[list[Word]]:
    lengths = [word.end - word.start for part in words for word in part if word.end > word.start]
    median = min(MAX_MEDIAN_SECONDS, float(np.median(lengths))) if lengths else 0.0
    longest = MAX_MEDIANS * median
    kept = 0.0
    for part, own in zip(parts, words, strict=True):
        if not own:
            continue
        first, last = own[0], own[-1]
        if first.end - first.start > longest and first.end - kept > 2 * longest:
            first = replace(first, start=first.end - longest)
        if part.start - TRUST_SECONDS > first.start and part.start < first.end:
            first = replace(first, start=max(first.start, min(part.start, first.end - median)))
        own[0] = first
        if len(own) == 1:
            last = first
        if last.start < part.end < last.end - TRUST_SECONDS:
            last = replace(last, end=max(part.end, last.start + median))
        elif last.end - last.start > longest:
            last = replace(last, end=last.start + longest)
        own[-1] = last
        kept = last.end
    return words


def _in_order(words: list[list[Word]], seconds: float) -> tuple[tuple[Word, ...], ...]:
    now = 0.0
    ordered = []
    for own in words:
        part = []
        for word in own:
            start = min(max(word.start, now), seconds)
            now = min(max(word.end, start), seconds)
            part.append(replace(word, start=start, end=now))
        ordered.append(tuple(part))
    return tuple(ordered)
