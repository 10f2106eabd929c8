"""The prompts. A prompt begins with the transcript so that several questions on one chunk share their cached prefix."""

from __future__ import annotations

from recordroute_llm.engine import Message, Prompt

_SYSTEM = Message("system", "You summarize recordings. You only repeat facts that the transcript states.")
_LANGUAGES = {"en": "English", "ko": "Korean", "ja": "Japanese", "zh": "Chinese"}
# Small models copy the transcript, or mistake who said what, unless the summary is begun for them.
OPENINGS = {"en": "The recording is about", "ko": "이 녹음은"}

POINTS_TOKENS = 240
OVERVIEW_TOKENS = 130
TITLE_TOKENS = 40
RETRY_TEMPERATURE = 0.5


def _ask(
    text: str, question: str, language: str, max_tokens: int, *, retry: bool, opening: str = ""
) -> Prompt:
    # Whatever stands between the marks is material: a text that closes them itself must not end it.
    body = text.replace('"""', "'''")
    name = _LANGUAGES.get(language)
    answer_in = f"Write in {name}." if name else "Write in the language of the transcript."
    messages = [_SYSTEM, Message("user", f'Transcript:\n"""\n{body}\n"""\n\n{question} {answer_in}')]
    if opening:
        messages.append(Message("assistant", opening))
    return Prompt(tuple(messages), max_tokens, temperature=RETRY_TEMPERATURE if retry else 0.0)


def points_prompt(text: str, language: str, *, retry: bool = False) -> Prompt:
    """Asks for a chunk's facts, one a line that begins with "- "."""
    question = (
        "List the three to six most important facts of the transcript, one short sentence per line, each line "
        'starting with "- ". Do not say who speaks.'
    )
    return _ask(text, question, language, POINTS_TOKENS, retry=retry)


def overview_prompt(text: str, language: str, *, retry: bool = False) -> Prompt:
    """Asks for two sentences on the whole text; the answer goes on from the language's opening."""
    question = "Summarize the transcript in two sentences."
    return _ask(text, question, language, OVERVIEW_TOKENS, retry=retry, opening=OPENINGS.get(language, ""))


def title_prompt(text: str, language: str, *, retry: bool = False) -> Prompt:
    """Asks for a title of a few words."""
    question = "Write a short title for the transcript, at most eight words. Answer with the title only."
    return _ask(text, question, language, TITLE_TOKENS, retry=retry)
