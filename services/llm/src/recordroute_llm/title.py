"""Makes a title of one line: the model's if it passes the checks, else of the transcript's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import CancelToken

from recordroute_llm.chunks import chunk_sentences
from recordroute_llm.engine import Engine
from recordroute_llm.extractive import key_phrases, pick_sentences
from recordroute_llm.injection import without_orders
from recordroute_llm.language import detect_language, written_in
from recordroute_llm.prompts import title_prompt
from recordroute_llm.rules import tidy
from recordroute_llm.terms import numbers, terms, words
from recordroute_llm.transcript import Segment, Sentence, sentences_of

TITLE_CHARACTERS = 60
COVERAGE = 0.6
ATTEMPTS = 2

_PREFIX = re.compile(r"^(?:\W*)(?:title|subject|topic|제목|주제)\s*[:：\-]\s*", re.IGNORECASE)
_EDGES = " \t\"'“”‘’`*#_.,;:-–—…「」『』<>()[]"


def write_title(
    segments: Sequence[Segment], language: str, engine: Engine, chunk_tokens: int, token: CancelToken
) -> str:
    """Returns a title of 1 to TITLE_CHARACTERS characters in the transcript's language, or in `language` if given.

    As much of the transcript as one chunk holds is read, from the start. Raises InvalidInput (EMPTY_TRANSCRIPT) and
    Cancelled.
    """
    sentences = without_orders(sentences_of(segments))
    if not any(character.isalnum() for sentence in sentences for character in sentence.text):
        raise InvalidInput("EMPTY_TRANSCRIPT", "the transcript has no text")
    head = _head(sentences, chunk_tokens)
    language = language or detect_language(" ".join(sentence.text for sentence in head))
    counts = engine.count_tokens([sentence.text for sentence in head]).counts
    chunk = chunk_sentences(head, counts, chunk_tokens)[0]
    if len(words(chunk.text)) > 3:
        for attempt in range(ATTEMPTS):
            answer = engine.generate(title_prompt(chunk.text, language, retry=attempt > 0), token)
            title = clean_title(answer.text)
            if answer.complete and title_fits(title, chunk.text, language):
                return title
    return plain_title(head)


def _head(sentences: Sequence[Sentence], tokens: int) -> list[Sentence]:
    """Returns the first sentences, about `tokens` of them by the usual four characters a token, at least one."""
    head: list[Sentence] = []
    characters = 0
    for sentence in sentences:
        if head and characters + len(sentence.text) > 4 * tokens:
            break
        head.append(sentence)
        characters += len(sentence.text)
    return head


def clean_title(text: str) -> str:
    """Returns the first line of an answer without prefix, quotes, marks and closing full stop."""
    line = next((line for line in text.splitlines() if line.strip(_EDGES)), "")
    line = _PREFIX.sub("", " ".join(line.split()).strip(_EDGES)).strip(_EDGES)
    return line[:1].upper() + line[1:]


def title_fits(title: str, text: str, language: str) -> bool:
    """Says whether a title is short enough, in the right script, and about the text: its numbers and names, and most
    of its words, stand there."""
    if not title or len(title) > TITLE_CHARACTERS or not written_in(title, language):
        return False
    known = {word.casefold() for word in words(text)}
    wanted = terms(title)
    # A title writes every word like a name, so that only acronyms can be told apart.
    acronyms = {word.casefold() for word in words(title) if len(word) > 1 and word.isupper()}
    if not wanted or not acronyms <= known or not numbers(title) <= numbers(text):
        return False
    return len(wanted & terms(text)) >= COVERAGE * len(wanted)


def plain_title(sentences: Sequence[Sentence]) -> str:
    """Returns a title of the transcript's own words: its key phrases, or the beginning of its weightiest sentence."""
    phrases = [phrase for phrase, _ in key_phrases(sentences, 3)]
    title = ", ".join(phrases)
    if len(phrases) > 1 and len(title) <= TITLE_CHARACTERS:
        return title[:1].upper() + title[1:]
    with_words = [sentence for sentence in sentences if words(sentence.text)]
    picked = [*pick_sentences(sentences, 1), *with_words, *sentences][0]
    return shorten(tidy(picked.text).strip(_EDGES) or picked.text)


def shorten(text: str) -> str:
    """Cuts a line to TITLE_CHARACTERS, between words where there are any, and marks the cut."""
    if len(text) <= TITLE_CHARACTERS:
        return text
    head = text[: TITLE_CHARACTERS - 1]
    if " " in head and not text[TITLE_CHARACTERS - 1].isspace():
        head = head[: head.rfind(" ")]
    return head.rstrip(" ,;:-") + "…"
