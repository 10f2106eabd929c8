"""Makes minutes: rules and ranking find, the model phrases, code checks.

Map: the model lists the facts of each chunk; every line that its chunk supports becomes a key point, and the
transcript's own sentences fill up what is missing. Reduce: the model phrases an overview, of the transcript itself if
it is one chunk, else of the supported facts, in groups until they fit. Decisions and action items are found by rules.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum

from recordroute_runtime.errors import InvalidInput, ProcessingFailed
from recordroute_runtime.inference import CancelToken

from recordroute_llm.chunks import Chunk, chunk_sentences
from recordroute_llm.engine import Engine, Generation, Prompt, Usage
from recordroute_llm.evidence import EvidenceIndex, segments_of
from recordroute_llm.extractive import key_phrases, pick_sentences
from recordroute_llm.language import detect_language, written_in
from recordroute_llm.prompts import OPENINGS, overview_prompt, points_prompt
from recordroute_llm.rules import is_action, is_decision, is_question, is_statement, tidy
from recordroute_llm.terms import terms
from recordroute_llm.transcript import SENTENCE_CHARACTERS, Segment, Sentence, sentences_of, split_sentences

# Shorter transcripts say as much as any summary of them.
TINY_TOKENS = 40
ATTEMPTS = 3
KEY_POINTS = 24
POINTS_A_CHUNK = (2, 6)
SPARE_POINTS = 2
OVERVIEW_SENTENCES = 3
TOPICS = 5
GROUP = 10
DELTA_SECONDS = 0.03
EVIDENCE_SEGMENTS = 3
# Two lines that share this much of the shorter one's terms say the same.
SAME = 0.7

_BULLET = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])\s+")


class Kind(Enum):
    """The kinds of sections, in the order in which they are shown."""

    TOPICS = "topics"
    KEY_POINTS = "key points"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action items"


@dataclass(frozen=True)
class Item:
    """A line of the minutes and the segments that it rests on, best first, never empty."""

    text: str
    evidence: tuple[Segment, ...]


@dataclass(frozen=True)
class Minutes:
    """Minutes of one recording; `sections` holds no empty ones. `unsupported` lists what the model wrote and nothing
    supports."""

    language: str
    overview: str
    sections: tuple[tuple[Kind, tuple[Item, ...]], ...]
    unsupported: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """Steps done and steps in all."""

    completed: int
    total: int


@dataclass(frozen=True)
class Delta:
    """Text as the model writes it, before it is checked; `chunk` counts from 0, the overview comes last."""

    chunk: int
    text: str


@dataclass(frozen=True)
class Result:
    """The minutes and what they cost; `seconds` is wall time."""

    minutes: Minutes
    usage: Usage
    seconds: float


Event = Progress | Delta | Result


@dataclass
class _Run:
    """What the steps of one request share; its events go to the caller's thread by `events`."""

    engine: Engine
    token: CancelToken
    language: str
    events: queue.Queue[Event | None] = field(default_factory=queue.Queue)
    usage: Usage = field(default_factory=Usage)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def generate(
        self,
        make: Callable[[bool], Prompt],
        enough: Callable[[str], bool],
        number: int,
        what: str,
        metadata: dict[str, str],
    ) -> Generation:
        """Generates until there is an answer with content; raises ProcessingFailed after ATTEMPTS. An answer ends
        where `enough` says so of what is written."""
        for attempt in range(ATTEMPTS):
            written: list[str] = []

            def receive(text: str, written: list[str] = written) -> bool:
                self.events.put(Delta(number, text))
                written.append(text)
                return enough("".join(written))

            generation = self.engine.generate(make(attempt > 0), self.token, receive)
            with self.lock:
                self.usage += generation.usage
            if terms(generation.text):
                return generation
        raise ProcessingFailed("GENERATION_FAILED", f"the model gave no answer for {what}", metadata=metadata)


def summarize(
    segments: Sequence[Segment], language: str, engine: Engine, chunk_tokens: int, token: CancelToken
) -> Iterator[Event]:
    """Makes minutes of a whole transcript; the Result is the last event. An empty `language` is told from the text.

    Raises InvalidInput (EMPTY_TRANSCRIPT), ProcessingFailed (GENERATION_FAILED) and Cancelled.
    """
    begun = time.monotonic()
    sentences = sentences_of(segments)
    if not any(character.isalnum() for sentence in sentences for character in sentence.text):
        raise InvalidInput("EMPTY_TRANSCRIPT", "the transcript has no text")
    language = language or detect_language(" ".join(sentence.text for sentence in sentences))
    counts = engine.count_tokens([sentence.text for sentence in sentences]).counts
    if sum(counts) < TINY_TOKENS:
        yield Progress(1, 1)
        overview = " ".join(sentence.text for sentence in sentences)
        yield Result(Minutes(language, overview, (), ()), Usage(), time.monotonic() - begun)
        return
    run = _Run(engine, token, language)
    chunks = chunk_sentences(sentences, counts, chunk_tokens)
    with ThreadPoolExecutor(1, thread_name_prefix="minutes") as conductor:
        minutes = conductor.submit(_conduct, run, sentences, chunks, chunk_tokens)
        minutes.add_done_callback(lambda _: run.events.put(None))
        try:
            yield from _coalesced(run.events)
            yield Result(minutes.result(), run.usage, time.monotonic() - begun)
        finally:
            token.cancel()


def _coalesced(events: queue.Queue[Event | None]) -> Iterator[Event]:
    """Yields events until None; the deltas of DELTA_SECONDS become one for each chunk."""
    waiting: dict[int, str] = {}
    flush_at = 0.0
    while True:
        try:
            event = events.get(timeout=max(0.0, flush_at - time.monotonic()) if waiting else None)
        except queue.Empty:
            event = Delta(-1, "")
        if isinstance(event, Delta) and event.text:
            if not waiting:
                flush_at = time.monotonic() + DELTA_SECONDS
            waiting[event.chunk] = waiting.get(event.chunk, "") + event.text
            if time.monotonic() < flush_at:
                continue
        for chunk, text in waiting.items():
            yield Delta(chunk, text)
        waiting.clear()
        if event is None:
            return
        if not isinstance(event, Delta):
            yield event


def _conduct(run: _Run, sentences: Sequence[Sentence], chunks: Sequence[Chunk], chunk_tokens: int) -> Minutes:
    total = len(chunks) + 1
    done = 0
    run.events.put(Progress(done, total))
    fewest, most = POINTS_A_CHUNK
    wanted = max(fewest, min(most, KEY_POINTS // len(chunks)))
    results: list[Future[tuple[list[Item], list[str]]]] = []
    points: list[Item] = []
    unsupported: list[str] = []
    with ThreadPoolExecutor(run.engine.parallel, thread_name_prefix="chunk") as threads:
        results = [
            threads.submit(_read_chunk, run, chunk, number, wanted) for number, chunk in enumerate(chunks)
        ]
        try:
            for result in results:
                kept, dropped = result.result()
                points += kept
                unsupported += dropped
                done += 1
                run.events.put(Progress(done, total))
        except BaseException:
            # One failed chunk ends them all: what the others write is of no use any more.
            run.token.cancel()
            raise
    index = EvidenceIndex(sentences)
    overview, dropped = _overview(run, index, sentences, chunks, points, chunk_tokens)
    unsupported += dropped
    run.events.put(Progress(total, total))
    decisions = _found(sentences, is_decision, with_speaker=False)
    actions = _found(
        [sentence for sentence in sentences if not is_decision(sentence.text)], is_action, with_speaker=True
    )
    points = _without(points, [*decisions, *actions])
    sections = (
        (Kind.TOPICS, tuple(_topics(sentences))),
        (Kind.KEY_POINTS, tuple(points)),
        (Kind.DECISIONS, tuple(decisions)),
        (Kind.ACTION_ITEMS, tuple(actions)),
    )
    return Minutes(
        run.language,
        overview,
        tuple((kind, items) for kind, items in sections if items),
        tuple(dict.fromkeys(unsupported)),
    )


def _read_chunk(run: _Run, chunk: Chunk, number: int, wanted: int) -> tuple[list[Item], list[str]]:
    """Returns the chunk's key points in order, and the model's lines that it does not support."""
    generation = run.generate(
        lambda retry: points_prompt(chunk.text, run.language, retry=retry),
        # Some lines will not pass the checks.
        lambda text: len(text.rstrip(" ").splitlines()) > wanted + SPARE_POINTS,
        number,
        f"the part from {chunk.start:.0f} s to {chunk.end:.0f} s",
        {"chunk": str(number), "start_seconds": f"{chunk.start:.3f}", "end_seconds": f"{chunk.end:.3f}"},
    )
    index = EvidenceIndex(chunk.sentences)
    kept: list[Item] = []
    unsupported: list[str] = []
    for line in (part for bullet in bullet_lines(generation) for part in split_sentences(bullet)):
        # A line of this length is a copy of the transcript, not a point.
        if is_question(line) or len(line) > SENTENCE_CHARACTERS or len(terms(line)) < 2:
            continue
        evidence = index.find(line) if written_in(line, run.language) else ()
        if not evidence:
            unsupported.append(line)
        elif not any(_same(line, item.text) for item in kept):
            text = line if is_statement(line, run.language) else evidence[0].text
            kept.append(Item(_closed(tidy(text)), _best(line, evidence)))
        if len(kept) == wanted:
            break
    if len(kept) < min(wanted, POINTS_A_CHUNK[0] + 1):
        for sentence in pick_sentences(chunk.sentences, wanted):
            if len(kept) < wanted and not any(_same(sentence.text, item.text) for item in kept):
                kept.append(Item(_closed(tidy(sentence.text)), sentence.segments))
    return sorted(kept, key=lambda item: min(segment.index for segment in item.evidence)), unsupported


def bullet_lines(generation: Generation) -> list[str]:
    """Returns the lines of a list without their marks. A last line that was cut off is left out."""
    lines = generation.text.strip().splitlines()
    if not generation.complete and len(lines) > 1:
        lines.pop()
    bullets = [_BULLET.sub("", line).strip() for line in lines if _BULLET.match(line)]
    found = bullets or [line.strip() for line in lines]
    return list(dict.fromkeys(line for line in found if len(terms(line)) > 1))


def _closed(sentence: str) -> str:
    rest = sentence.rstrip(" ,;:")
    return rest if rest.endswith((".", "!", "?", "…", '"', "”", "。")) else f"{rest}."


def _same(left: str, right: str) -> bool:
    first, second = terms(left), terms(right)
    smaller = min(len(first), len(second))
    return smaller > 0 and len(first & second) >= SAME * smaller


def _best(line: str, evidence: Sequence[Sentence]) -> tuple[Segment, ...]:
    """Returns the segments of the evidence, those that share most with the line first."""
    wanted = terms(line)
    segments = segments_of(evidence)
    ranked = sorted(segments, key=lambda segment: -len(wanted & terms(segment.text)))
    return tuple(ranked[:EVIDENCE_SEGMENTS])


def _overview(
    run: _Run,
    index: EvidenceIndex,
    sentences: Sequence[Sentence],
    chunks: Sequence[Chunk],
    points: Sequence[Item],
    chunk_tokens: int,
) -> tuple[str, list[str]]:
    """Returns the overview and the model's sentences that nothing supports."""
    number = len(chunks)
    if number == 1:
        text = chunks[0].text
    else:
        notes = [item.text for item in points]
        while len(notes) > 1 and sum(run.engine.count_tokens(notes).counts) > chunk_tokens:
            groups = [notes[place : place + GROUP] for place in range(0, len(notes), GROUP)]
            notes = [
                _supported_overview(run, index, "\n".join(group), number)[0] or group[0] for group in groups
            ]
        text = "\n".join(notes)
    overview, unsupported = _supported_overview(run, index, text, number)
    if not overview:
        overview = " ".join(_closed(tidy(sentence.text)) for sentence in pick_sentences(sentences, 2))
    return overview or _closed(tidy(sentences[0].text)), unsupported


def _supported_overview(run: _Run, index: EvidenceIndex, text: str, number: int) -> tuple[str, list[str]]:
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
        if is_question(part) or any(_same(part, other) for other in kept):
            continue
        # The opening is ours, not a claim.
        claim = part.removeprefix(opening)
        if written_in(part, run.language) and index.find_loose(claim):
            kept.append(part)
        else:
            unsupported.append(part)
            if not kept:
                # What follows leans on the sentence that fell.
                return "", [*unsupported]
        if len(kept) == OVERVIEW_SENTENCES:
            break
    return " ".join(kept), unsupported


def _found(
    sentences: Sequence[Sentence], matches: Callable[[str], bool], *, with_speaker: bool
) -> list[Item]:
    found: list[Item] = []
    for sentence in sentences:
        # "I will do that." tells a reader nothing.
        if matches(sentence.text) and len(terms(sentence.text)) > 1:
            text = _closed(tidy(sentence.text))
            if with_speaker and sentence.speaker:
                text = f"{sentence.speaker}: {text}"
            if not any(text == item.text for item in found):
                found.append(Item(text, sentence.segments))
    return found


def _without(points: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """Returns the key points that no other item says already."""
    return [point for point in points if not any(_same(point.text, other.text) for other in others)]


def _topics(sentences: Sequence[Sentence]) -> list[Item]:
    phrases = key_phrases(sentences, TOPICS)
    # A single phrase is a coincidence more often than a topic.
    if len(phrases) < 2:
        return []
    items = [
        Item(phrase[:1].upper() + phrase[1:], segments_of(places)[:EVIDENCE_SEGMENTS])
        for phrase, places in phrases
    ]
    return sorted(items, key=lambda item: item.evidence[0].index)
