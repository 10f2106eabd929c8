"""Reads a chunk: the model lists, code checks every line, has a false one written anew once, and fills up with the
transcript's own sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from recordroute_llm.chunks import Chunk
from recordroute_llm.engine import Generation
from recordroute_llm.evidence import EvidenceIndex, segments_of
from recordroute_llm.extractive import matching_sentences, pick_sentences
from recordroute_llm.fields import first_of_type, said
from recordroute_llm.language import written_in
from recordroute_llm.minutes import Item
from recordroute_llm.prompts import points_prompt, repair_prompt, section_prompt
from recordroute_llm.rules import is_question, is_statement, tidy
from recordroute_llm.summary_run import Run
from recordroute_llm.templates import TemplateSection
from recordroute_llm.terms import terms
from recordroute_llm.transcript import SENTENCE_CHARACTERS, Segment, Sentence, split_sentences

KEY_POINTS = 24
POINTS_A_CHUNK = (2, 6)
SPARE_POINTS = 2
SECTION_ITEMS_A_CHUNK = 4
REPAIRS_A_CHUNK = 2
EVIDENCE_SEGMENTS = 3
# Two lines that share this much of the shorter one's terms say the same.
SAME = 0.7

_FIRST_PERSON = re.compile(
    r"\b(?:I|me|my|mine|myself)\b|(?<![가-힣])(?:제가|저는|저도|저를|저에게|저한테|제게|제|내가|나는|저희[가는도]?)(?=[\s,])"
)
_BULLET = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])\s+")
_NONE = re.compile(
    r"(?:none|nothing|n/a|no (?:items?|mention)|없음|없습니다|해당 없음)\b[^|]{0,40}", re.IGNORECASE
)


@dataclass
class ChunkNotes:
    """What a chunk gave: key points, the lines of each section that the model fills, and what failed the checks."""

    points: list[Item] = field(default_factory=list)
    sections: dict[str, list[Item]] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)


class ChunkReader:
    """Reads one chunk with the model."""

    def __init__(self, run: Run, chunk: Chunk, number: int) -> None:
        self._run = run
        self._chunk = chunk
        self._number = number
        self._index = EvidenceIndex((*chunk.lead, *chunk.sentences), run.similarity)
        self._repairs = REPAIRS_A_CHUNK
        self._notes = ChunkNotes()

    def read(self, wanted: int, sections: Sequence[TemplateSection]) -> ChunkNotes:
        """Returns the chunk's key points, at most `wanted`, and the lines of `sections`, all in order.

        Raises ProcessingFailed (GENERATION_FAILED) that names the chunk.
        """
        self._notes.points = _in_order(self._key_points(wanted))
        for section in sections:
            self._notes.sections[section.title] = _in_order(self._section(section))
        return self._notes

    def _key_points(self, wanted: int) -> list[Item]:
        chunk = self._chunk
        generation = self._run.generate(
            lambda retry: points_prompt(chunk.text, self._run.language, retry=retry),
            # Some lines will not pass the checks.
            lambda text: len(text.rstrip(" ").splitlines()) > wanted + SPARE_POINTS,
            self._number,
            self._place,
            self._metadata,
        )
        kept: list[Item] = []
        for line in (part for bullet in bullet_lines(generation) for part in split_sentences(bullet)):
            item = self._item(line)
            if item is not None and not any(same(item.text, other.text) for other in kept):
                kept.append(item)
            if len(kept) == wanted:
                break
        if len(kept) < min(wanted, POINTS_A_CHUNK[0] + 1):
            for sentence in pick_sentences(chunk.sentences, wanted):
                if len(kept) < wanted and not any(same(sentence.text, item.text) for item in kept):
                    text = by_whom(closed(tidy(sentence.text)), (sentence,))
                    kept.append(Item(text, sentence.segments))
        return kept

    def _section(self, section: TemplateSection) -> list[Item]:
        names = [field.name for field in section.fields]
        generation = self._run.generate(
            lambda retry: section_prompt(
                self._chunk.text, self._run.language, section.title, section.instruction, names, retry=retry
            ),
            lambda text: len(text.rstrip(" ").splitlines()) > SECTION_ITEMS_A_CHUNK + SPARE_POINTS,
            self._number,
            f"{self._place}, section {section.title}",
            {**self._metadata, "section": section.title},
        )
        kept: list[Item] = []
        for bullet in bullet_lines(generation):
            line, *parts = (part.strip() for part in bullet.split("|"))
            if _NONE.fullmatch(line.rstrip(". ")):
                continue
            item = self._item(line, section, parts)
            if item is not None and not any(same(item.text, other.text) for other in kept):
                kept.append(item)
            if len(kept) == SECTION_ITEMS_A_CHUNK:
                break
        if kept:
            return kept
        wanted = f"{section.title} {section.instruction}"
        types = [field.type for field in section.fields]
        return [
            Item(
                by_whom(closed(tidy(sentence.text)), (sentence,)),
                sentence.segments,
                _fields(section, (), (sentence,)),
            )
            for sentence in matching_sentences(self._chunk.sentences, wanted, types, SECTION_ITEMS_A_CHUNK)
        ]

    def _item(
        self, line: str, section: TemplateSection | None = None, parts: Sequence[str] = ()
    ) -> Item | None:
        """Returns the line with its evidence, as it is or written anew; None where nothing supports it."""
        # A line of this length is a copy of the transcript, not a point.
        if is_question(line) or len(line) > SENTENCE_CHARACTERS or len(terms(line)) < 2:
            return None
        evidence = self._index.find(line) if written_in(line, self._run.language) else ()
        if not evidence:
            self._notes.unsupported.append(line)
            line, evidence = self._repaired(line)
        if not evidence:
            return None
        text = line if is_statement(line, self._run.language) else evidence[0].text
        fields = _fields(section, parts, evidence) if section is not None else ()
        return Item(by_whom(closed(tidy(text)), evidence), _best(line, evidence), fields)

    def _repaired(self, line: str) -> tuple[str, tuple[Sentence, ...]]:
        place = self._index.nearest(line)
        if not place or not self._repairs:
            return line, ()
        self._repairs -= 1
        text = " ".join(sentence.text for sentence in place)
        answer = self._run.once(repair_prompt(text, line, self._run.language))
        mended = _BULLET.sub("", answer).strip(" \"'“”")
        if not mended or len(mended) > SENTENCE_CHARACTERS or not written_in(mended, self._run.language):
            return line, ()
        if is_question(mended) or len(terms(mended)) < 2:
            return line, ()
        return mended, self._index.find(mended)

    @property
    def _place(self) -> str:
        return f"the part from {self._chunk.start:.0f} s to {self._chunk.end:.0f} s"

    @property
    def _metadata(self) -> dict[str, str]:
        return {
            "chunk": str(self._number),
            "start_seconds": f"{self._chunk.start:.3f}",
            "end_seconds": f"{self._chunk.end:.3f}",
        }


def _fields(
    section: TemplateSection, parts: Sequence[str], evidence: Sequence[Sentence]
) -> tuple[tuple[str, str], ...]:
    """Returns the fields that stand in the evidence: as the model gave them, else as rules find them."""
    given: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition(":")
        given[name.strip().casefold()] = value.strip(" .")
    found: list[tuple[str, str]] = []
    for wanted in section.fields:
        value = given.get(wanted.name.casefold(), "")
        if not value or not said(value, evidence):
            value = first_of_type(wanted.type, evidence)
        if value:
            found.append((wanted.name, value))
    return tuple(found)


def _in_order(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: min(segment.index for segment in item.evidence))


def bullet_lines(generation: Generation) -> list[str]:
    """Returns the lines of a list without their marks. A last line that was cut off is left out."""
    lines = generation.text.strip().splitlines()
    if not generation.complete and len(lines) > 1:
        lines.pop()
    bullets = [_BULLET.sub("", line).strip() for line in lines if _BULLET.match(line)]
    found = bullets or [line.strip() for line in lines]
    return list(dict.fromkeys(line for line in found if terms(line)))


def closed(sentence: str) -> str:
    """Returns a sentence with a mark at its end."""
    rest = sentence.rstrip(" ,;:")
    return rest if rest.endswith((".", "!", "?", "…", '"', "”", "。")) else f"{rest}."


def in_first_person(text: str) -> bool:
    """Says whether a text speaks of the one who says it."""
    return bool(_FIRST_PERSON.search(text))


def by_whom(line: str, evidence: Sequence[Sentence]) -> str:
    """Returns a line, led by its speaker where it speaks of itself and one speaker is known to say it."""
    speakers = {sentence.speaker for sentence in evidence if in_first_person(sentence.text)}
    if not in_first_person(line) or len(speakers) != 1 or "" in speakers:
        return line
    return f"{speakers.pop()}: {line}"


def same(left: str, right: str) -> bool:
    """Says whether two lines say the same."""
    first, second = terms(left), terms(right)
    smaller = min(len(first), len(second))
    return smaller > 0 and len(first & second) >= SAME * smaller


def _best(line: str, evidence: Sequence[Sentence]) -> tuple[Segment, ...]:
    """Returns the segments of the evidence, those that share most with the line first."""
    wanted = terms(line)
    ranked = sorted(segments_of(evidence), key=lambda segment: -len(wanted & terms(segment.text)))
    return tuple(ranked[:EVIDENCE_SEGMENTS])
