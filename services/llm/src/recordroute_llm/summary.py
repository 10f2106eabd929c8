"""Makes minutes: rules and ranking find, the model phrases, code checks.

Map: the model lists the facts of each chunk; every line that its chunk supports becomes a key point, and the
transcript's own sentences fill up what is missing. Reduce: the model phrases an overview, of the transcript itself if
it is one chunk, else of the supported facts, in groups until they fit. Decisions, action items, risks and next steps
are found by rules; for the sections of a template's own the model lists once more, chunk by chunk.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import CancelToken

from recordroute_llm.chunks import Chunk, chunk_sentences
from recordroute_llm.engine import Engine, Usage
from recordroute_llm.evidence import EvidenceIndex, Similarity
from recordroute_llm.injection import without_orders
from recordroute_llm.language import detect_language
from recordroute_llm.minutes import Event, Item, Minutes, Progress, Result, Section
from recordroute_llm.overview import write_overview
from recordroute_llm.points import KEY_POINTS, POINTS_A_CHUNK, ChunkNotes, ChunkReader
from recordroute_llm.sections import Found, find_items, without
from recordroute_llm.summary_run import Run, RunToken, coalesced
from recordroute_llm.templates import Kind, Template, Templates, TemplateSection
from recordroute_llm.transcript import Segment, Sentence, sentences_of

# Shorter transcripts say as much as any summary of them.
TINY_TOKENS = 40
OVERLAP_TOKENS = 80


@dataclass(frozen=True)
class Style:
    """How minutes are wanted: a template by name or in Markdown, and the language of their headings.

    Empty: the template "meeting", the language of the transcript.
    """

    template: str = ""
    template_markdown: str = ""
    output_language: str = ""


def summarize(
    segments: Sequence[Segment],
    language: str,
    engine: Engine,
    chunk_tokens: int,
    token: CancelToken,
    *,
    templates: Templates,
    style: Style | None = None,
    similarity: Similarity | None = None,
) -> Iterator[Event]:
    """Makes minutes of a whole transcript; the Result is the last event. An empty `language` is told from the text.

    What minutes say is in the language of the transcript whatever language is wanted, for only then it can be checked;
    headings follow the wish.

    Raises InvalidInput (EMPTY_TRANSCRIPT, BAD_TEMPLATE), ProcessingFailed (GENERATION_FAILED) and Cancelled.
    """
    begun = time.monotonic()
    style = style or Style()
    sentences = without_orders(sentences_of(segments))
    if not any(character.isalnum() for sentence in sentences for character in sentence.text):
        raise InvalidInput("EMPTY_TRANSCRIPT", "the transcript has no text")
    language = language or detect_language(" ".join(sentence.text for sentence in sentences))
    written = style.output_language or language
    template = templates.get(style.template, style.template_markdown, written)
    counts = engine.count_tokens([sentence.text for sentence in sentences]).counts
    if sum(counts) < TINY_TOKENS:
        yield Progress(1, 1)
        overview = " ".join(sentence.text for sentence in sentences)
        minutes = Minutes(written, overview, (), (), template.name)
        yield Result(minutes, Usage(), time.monotonic() - begun)
        return
    run = Run(engine, RunToken(token), language, similarity)
    chunks = chunk_sentences(sentences, counts, chunk_tokens, min(OVERLAP_TOKENS, chunk_tokens // 10))
    with ThreadPoolExecutor(1, thread_name_prefix="minutes") as conductor:
        made = conductor.submit(_conduct, run, sentences, chunks, chunk_tokens, template)
        made.add_done_callback(lambda _: run.events.put(None))
        try:
            yield from coalesced(run.events)
            yield Result(replace(made.result(), language=written), run.usage, time.monotonic() - begun)
        finally:
            run.token.cancel()


def _conduct(
    run: Run,
    sentences: Sequence[Sentence],
    chunks: Sequence[Chunk],
    chunk_tokens: int,
    template: Template,
) -> Minutes:
    total = len(chunks) + 1
    notes = list(_read_chunks(run, chunks, template, total))
    points = without([point for note in notes for point in note.points], ())
    index = EvidenceIndex(sentences, run.similarity)
    overview, dropped = write_overview(run, index, sentences, chunks, points, chunk_tokens)
    unsupported = [line for note in notes for line in note.unsupported] + dropped
    run.events.put(Progress(total, total))
    sections = tuple(_sections(template, find_items(sentences), points, notes))
    return Minutes(run.language, overview, sections, tuple(dict.fromkeys(unsupported)), template.name)


def _read_chunks(run: Run, chunks: Sequence[Chunk], template: Template, total: int) -> Iterator[ChunkNotes]:
    run.events.put(Progress(0, total))
    fewest, most = POINTS_A_CHUNK
    wanted = max(fewest, min(most, KEY_POINTS // len(chunks)))
    custom = [section for section in template.sections if section.kind is Kind.CUSTOM]
    with ThreadPoolExecutor(run.engine.parallel, thread_name_prefix="chunk") as threads:
        results = [
            threads.submit(ChunkReader(run, chunk, number).read, wanted, custom)
            for number, chunk in enumerate(chunks)
        ]
        try:
            for done, result in enumerate(results, 1):
                yield result.result()
                run.events.put(Progress(done, total))
        except BaseException:
            # One failed chunk ends them all: what the others write is of no use any more.
            run.token.cancel()
            raise


def _sections(
    template: Template, found: Found, points: Sequence[Item], notes: Sequence[ChunkNotes]
) -> Iterator[Section]:
    kinds = {section.kind for section in template.sections}
    shown = [
        item
        for kind in (Kind.DECISIONS, Kind.ACTION_ITEMS, Kind.NEXT_STEPS, Kind.RISKS)
        if kind in kinds
        for item in found.of(kind)
    ]
    for section in template.sections:
        match section.kind:
            case Kind.KEY_POINTS:
                items = without(points, shown)
            case Kind.CUSTOM:
                items = without([item for note in notes for item in note.sections[section.title]], ())
            case Kind.ACTION_ITEMS:
                items = [_with_fields(item, section) for item in found.actions]
            case _:
                items = list(found.of(section.kind))
        if items:
            yield Section(section.kind, section.title, tuple(items))


def _with_fields(item: Item, section: TemplateSection) -> Item:
    """Returns an action item with the fields that the template names; all of them where it names none."""
    names = {field.name for field in section.fields}
    return replace(
        item, fields=tuple((name, value) for name, value in item.fields if not names or name in names)
    )
