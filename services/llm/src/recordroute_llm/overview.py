"""Phrases what a whole recording is about, from its text or, where that does not fit, from its supported key points."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recordroute_llm.chunks import Chunk
from recordroute_llm.evidence import EvidenceIndex
from recordroute_llm.extractive import pick_sentences
from recordroute_llm.language import written_in
from recordroute_llm.minutes import Item
from recordroute_llm.points import by_whom, closed, in_first_person, same
from recordroute_llm.prompts import OPENINGS, overview_prompt
from recordroute_llm.rules import is_action, is_question, tidy
from recordroute_llm.summary_run import Run
from recordroute_llm.transcript import Sentence, split_sentences

OVERVIEW_SENTENCES = 3
_KOREAN_ABOUT = re.compile(r"(?:에 ?(?:대한|대해|대하여|관한|관해)|관련)[^.]*$")
GROUP = 10


def write_overview(
    run: Run,
    index: EvidenceIndex,
    sentences: Sequence[Sentence],
    chunks: Sequence[Chunk],
    points: Sequence[Item],
    chunk_tokens: int,
) -> tuple[str, list[str]]:
    """Returns the overview and the model's sentences that nothing supports. Points that don't fit are summed up in
    groups of GROUP until they do."""
    number = len(chunks)
    if number == 1:
        text = chunks[0].text
    else:
        notes = [item.text for item in points]
        while len(notes) > 1 and sum(run.engine.count_tokens(notes).counts) > chunk_tokens:
            groups = [notes[place : place + GROUP] for place in range(0, len(notes), GROUP)]
            notes = [_supported(run, index, "\n".join(group), number)[0] or group[0] for group in groups]
        text = "\n".join(notes)
    overview, unsupported = _supported(run, index, text, number)
    if not overview:
        told = [
            sentence
            for sentence in sentences
            if not in_first_person(sentence.text) and not is_action(sentence.text)
        ]
        picked = pick_sentences(told, 2) or pick_sentences(sentences, 2) or sentences[:1]
        overview = " ".join(by_whom(closed(tidy(sentence.text)), (sentence,)) for sentence in picked)
    return overview, unsupported


def _names_only(claim: str, language: str) -> bool:
    """Says whether what follows the opening names things and tells nothing of them: a Korean sentence can do both."""
    return language != "ko" or bool(_KOREAN_ABOUT.search(claim))


def _supported(run: Run, index: EvidenceIndex, text: str, number: int) -> tuple[str, list[str]]:
    generation = run.generate(
        lambda retry: overview_prompt(text, run.language, retry=retry),
        lambda text: len(list(split_sentences(text))) > OVERVIEW_SENTENCES,
        number,
        "the overview",
        {"chunk": str(number)},
    )
    written = " ".join(generation.text.split())
    opening = OPENINGS.get(run.language, "")
    if opening and not written.startswith(opening):
        written = f"{opening} {written}"
    parts = list(split_sentences(written))
    if not generation.complete and len(parts) > 1:
        parts.pop()
    kept: list[str] = []
    unsupported: list[str] = []
    for part in parts:
        # Nobody could tell who "I" is.
        if is_question(part) or in_first_person(part) or any(same(part, other) for other in kept):
            continue
        # The opening is ours, not a claim.
        claim = part.removeprefix(opening)
        named = claim is not part or not opening
        found = index.find_parts(claim) if named and _names_only(claim, run.language) else index.find(claim)
        if written_in(part, run.language) and found:
            # "This recording starts the harvest" is what is left of the opening where it leads into a statement.
            kept.append(part if not named or _names_only(claim, run.language) else claim.strip())
        else:
            unsupported.append(part)
            if not kept:
                # What follows leans on the sentence that fell.
                return "", unsupported
        if len(kept) == OVERVIEW_SENTENCES:
            break
    return " ".join(kept), unsupported
