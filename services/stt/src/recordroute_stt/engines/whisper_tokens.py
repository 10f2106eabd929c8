"""Whisper's token language: prompts, and transcripts with times between the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faster_whisper.tokenizer import Tokenizer

from recordroute_stt.engine import DecodingOptions

# The decoder has 448 positions, half of them for what came before, see https://arxiv.org/abs/2212.04356 section 2.3.
CONTEXT_TOKENS = 448
MAX_TOKENS = CONTEXT_TOKENS // 2
MAX_PROMPT_TOKENS = MAX_TOKENS - 1
MAX_HOTWORD_TOKENS = MAX_PROMPT_TOKENS // 2

SECONDS_PER_TIMESTAMP = 0.02


@dataclass(frozen=True)
class TimedTokens:
    """Text tokens between two times, in seconds from the start of the window."""

    start: float
    end: float
    tokens: tuple[int, ...]


def prompt(tokenizer: Tokenizer, options: DecodingOptions) -> list[int]:
    """Returns what the decoder is given before the first word: hotwords and initial prompt, language and task.

    Of hotwords that are too many the first count, of an initial prompt that is too long its end.
    """
    before: list[int] = []
    if options.hotwords:
        before = tokenizer.encode(" " + ", ".join(options.hotwords))[:MAX_HOTWORD_TOKENS]
    if options.initial_prompt.strip():
        said = tokenizer.encode(" " + options.initial_prompt.strip())
        before += said[-(MAX_PROMPT_TOKENS - len(before)) :]
    start = [tokenizer.sot_prev, *before] if before else []
    return [*start, *tokenizer.sot_sequence]


def max_length(prompt_tokens: int, new_tokens: int) -> int:
    """Returns CTranslate2's `max_length` for at most `new_tokens` tokens.

    It counts the prompt as well (all but one token), and gives the text at most half of the whole.
    """
    return min(CONTEXT_TOKENS, max(2 * new_tokens, prompt_tokens + new_tokens))


def split_at_times(
    tokens: Sequence[int], *, text_end: int, first_timestamp: int, seconds: float
) -> tuple[TimedTokens, ...]:
    """Splits decoded tokens at their timestamps.

    `text_end` is the first token that is no text and `first_timestamp` that of 0 s; `seconds`, the length of the
    window, is the end of what has no closing timestamp. Times never run backwards and stay within the window.
    """
    parts: list[TimedTokens] = []
    text: list[int] = []
    start = now = 0.0

    def close(end: float) -> None:
        nonlocal text
        if text:
            parts.append(TimedTokens(start, max(start, end), tuple(text)))
            text = []

    for token in tokens:
        if token >= first_timestamp:
            now = max(now, min((token - first_timestamp) * SECONDS_PER_TIMESTAMP, seconds))
            close(now)
            start = now
        elif token < text_end:
            text.append(token)
    close(seconds)
    return tuple(parts)
