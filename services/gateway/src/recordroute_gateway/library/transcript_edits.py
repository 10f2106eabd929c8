"""Edits of a transcript: what people do to it, without a store.

Each edit is told in the indices and code points that the edits before it have left. All edits are done or none: the
transcript that they are given stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.library.records import Segment, Speaker, Transcript, Word
from recordroute_gateway.library.word_times import Replaced, composed, is_unspaced, realign, words_of

# As much as a segment of the contract holds.
MAX_TEXT_BYTES = 65536
# So many words can be a misheard term, in the shortest segment too.
CORRECTED_WORDS = 4
# A summary is one line.
MAX_SUMMARY_PARTS = 3
MAX_SUMMARY_CHARACTERS = 40


@dataclass(frozen=True)
class ReplaceText:
    """Puts `text` in the place of the code points `start` to `end` of a segment."""

    segment_index: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class SplitSegment:
    """Makes two segments of one; the second begins with the code point `position`."""

    segment_index: int
    position: int


@dataclass(frozen=True)
class MergeSegments:
    """Makes one segment of `first` to `last`; the first one's speaker stays."""

    first: int
    last: int


@dataclass(frozen=True)
class AssignSpeaker:
    """Says who speaks in segments."""

    segment_indices: tuple[int, ...]
    label: str


@dataclass(frozen=True)
class RenameSpeaker:
    """Names a speaker everywhere; an empty name takes it away."""

    label: str
    name: str


@dataclass(frozen=True)
class FindAndReplace:
    """Replaces a text wherever it stands in a single segment."""

    find: str
    replacement: str
    match_case: bool = False
    whole_words: bool = False


Edit = ReplaceText | SplitSegment | MergeSegments | AssignSpeaker | RenameSpeaker | FindAndReplace


@dataclass(frozen=True)
class Correction:
    """Words that a person put in the place of what was heard. `first` says that they begin the segment, `rewritten`
    that most of the segment was replaced with them."""

    heard: str
    written: str
    first: bool
    rewritten: bool


@dataclass(frozen=True)
class Edited:
    """A transcript after edits.

    `changed` are the indices of the segments that are new or others than before, `replaced_counts` the places that
    each FindAndReplace has changed, `summary` a line for people.
    """

    transcript: Transcript
    changed: tuple[int, ...]
    replaced_counts: tuple[int, ...]
    corrections: tuple[Correction, ...]
    summary: str


def apply_edits(transcript: Transcript, edits: Sequence[Edit]) -> Edited:
    """Does the edits in order. Raises InvalidInput (BAD_EDIT, with the position of the edit)."""
    work = _Work(transcript)
    for position, edit in enumerate(edits):
        try:
            work.apply(edit)
        except _BadEdit as error:
            raise InvalidInput(
                "BAD_EDIT", f"edit {position}: {error}", metadata={"edit": str(position), **error.metadata}
            ) from error
    return work.result()


class _BadEdit(Exception):
    """An edit does not fit the transcript; the text says why, and `metadata` the values in it."""

    def __init__(self, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.metadata = dict(metadata or {})


def _too_long() -> _BadEdit:
    message = f"the segment would be longer than {MAX_TEXT_BYTES} bytes"
    return _BadEdit(message, {"limit": str(MAX_TEXT_BYTES)})


class _Work:
    """A transcript that is being edited."""

    def __init__(self, transcript: Transcript) -> None:
        self._before = transcript
        self._segments = list(transcript.segments)
        self._speakers = {speaker.label: speaker for speaker in transcript.speakers}
        self._regrouped: set[str] = set()
        self._counts: list[int] = []
        self._corrections: list[Correction] = []
        self._words = 0
        self._notes: list[str] = []
        self._tally: Counter[str] = Counter()

    def apply(self, edit: Edit) -> None:
        match edit:
            case ReplaceText():
                self._replace_text(edit)
            case SplitSegment():
                self._split(edit)
            case MergeSegments():
                self._merge(edit)
            case AssignSpeaker():
                self._assign(edit)
            case RenameSpeaker():
                self._rename(edit)
            case FindAndReplace():
                self._find_and_replace(edit)

    def result(self) -> Edited:
        known = set(map(id, self._before.segments))
        changed = tuple(index for index, segment in enumerate(self._segments) if id(segment) not in known)
        segments = tuple(
            segment if segment.index == index else replace(segment, index=index)
            for index, segment in enumerate(self._segments)
        )
        transcript = replace(self._before, segments=segments, speakers=self._speakers_of(segments))
        return Edited(
            transcript=transcript,
            changed=changed,
            replaced_counts=tuple(self._counts),
            corrections=tuple(self._corrections),
            summary=self._summary(),
        )

    def _segment(self, index: int) -> Segment:
        if index >= len(self._segments):
            raise _BadEdit(f"there is no segment {index}; there are {len(self._segments)}")
        return self._segments[index]

    def _replace_text(self, edit: ReplaceText) -> None:
        segment = self._segment(edit.segment_index)
        if not edit.start <= edit.end <= len(segment.text):
            raise _BadEdit(
                f"segment {edit.segment_index} has {len(segment.text)} characters, not {edit.start} to {edit.end}"
            )
        text = segment.text[: edit.start] + edit.text + segment.text[edit.end :]
        self._put(edit.segment_index, self._retold(segment, text, (edit.start, edit.end)))

    def _find_and_replace(self, edit: FindAndReplace) -> None:
        replacement, find = composed(edit.replacement), composed(edit.find)
        pattern = re.escape(find)
        if edit.whole_words:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        search = re.compile(pattern, 0 if edit.match_case else re.IGNORECASE)
        count = 0
        for index in reversed(range(len(self._segments))):
            segment = self._segments[index]
            text, found = search.subn(lambda _: replacement, segment.text)
            if found and text != segment.text:
                places = [match.span() for match in search.finditer(segment.text)]
                edited = (places[0][0], places[-1][1])
                self._put(index, self._retold(segment, text, edited, counted=False))
                count += found
        self._counts.append(count)
        if count:
            self._notes.append(f"“{_cut(find)}” → “{_cut(replacement)}” {count}×")

    def _retold(
        self, segment: Segment, raw: str, edited: tuple[int, int], *, counted: bool = True
    ) -> Segment | None:
        """Returns a segment with another text, None where none is left; `edited` is where the old one was changed."""
        text = composed(raw).strip()
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise _too_long()
        if text == segment.text:
            return segment
        before = words_of(segment)
        realigned = realign(before, text, segment.start, segment.end, edited=edited)
        self._learn(realigned.replaced, len(before))
        if counted:
            self._words += sum(
                max(len(change.old.split()), len(change.new.split())) for change in realigned.replaced
            )
        if not text:
            return None
        return replace(segment, text=text, words=realigned.words if segment.words else ())

    def _put(self, index: int, segment: Segment | None) -> None:
        if segment is None:
            self._regrouped.add(self._segments[index].speaker)
            del self._segments[index]
        else:
            self._segments[index] = segment

    def _learn(self, replaced: Iterable[Replaced], word_count: int) -> None:
        changes = list(replaced)
        lost = sum(len(change.old.split()) for change in changes)
        rewritten = lost > max(CORRECTED_WORDS, word_count / 2)
        self._corrections += [
            Correction(change.old, change.new, change.first, rewritten)
            for change in changes
            if change.old and change.new
        ]

    def _split(self, edit: SplitSegment) -> None:
        segment = self._segment(edit.segment_index)
        if edit.position >= len(segment.text):
            raise _BadEdit(
                f"segment {edit.segment_index} has {len(segment.text)} characters: it can't be split at "
                f"{edit.position}"
            )
        head, tail = segment.text[: edit.position].rstrip(), segment.text[edit.position :].lstrip()
        if not head or not tail:
            raise _BadEdit(f"segment {edit.segment_index} has no text on one side of {edit.position}")
        left, right = _cut_words(words_of(segment), edit.position)
        until, begins = left[-1].end, right[0].start
        self._segments[edit.segment_index : edit.segment_index + 1] = [
            replace(segment, text=head, end=until, words=left if segment.words else ()),
            replace(segment, text=tail, start=begins, words=right if segment.words else ()),
        ]
        self._regrouped.add(segment.speaker)
        self._tally["{} split"] += 1

    def _merge(self, edit: MergeSegments) -> None:
        self._segment(edit.last)
        if edit.first >= edit.last:
            raise _BadEdit(f"segments {edit.first} to {edit.last} are not several")
        parts = self._segments[edit.first : edit.last + 1]
        merged = _joined(parts)
        if len(merged.text.encode()) > MAX_TEXT_BYTES:
            raise _too_long()
        self._segments[edit.first : edit.last + 1] = [merged]
        self._regrouped |= {part.speaker for part in parts}
        self._tally["{} merged"] += len(parts)

    def _assign(self, edit: AssignSpeaker) -> None:
        label = composed(edit.label).strip()
        if not label:
            raise _BadEdit("the label of a speaker is not only white space")
        count = 0
        for index in dict.fromkeys(edit.segment_indices):
            segment = self._segment(index)
            if segment.speaker != label:
                self._segments[index] = replace(segment, speaker=label)
                self._regrouped |= {segment.speaker, label}
                count += 1
        speaker = self._speakers.setdefault(label, Speaker(label, 0.0))
        if count:
            self._notes.append(f"{_several(count, 'segment')} by {_cut(speaker.name or label)}")

    def _rename(self, edit: RenameSpeaker) -> None:
        speaker = self._speakers.get(edit.label)
        if speaker is None:
            if all(segment.speaker != edit.label for segment in self._segments):
                raise _BadEdit(f"nobody in the recording is labelled {edit.label!r}")
            speaker = Speaker(edit.label, 0.0)
            self._regrouped.add(edit.label)
        name = composed(edit.name).strip()
        if name != speaker.name:
            # What the voice was taken for is what the person corrects.
            speaker = replace(speaker, name=name, voice_id="", voice_similarity=None)
            self._notes.append(f"speaker {edit.label} is {_cut(name) or 'nobody'}")
        self._speakers[edit.label] = speaker

    def _speakers_of(self, segments: Sequence[Segment]) -> tuple[Speaker, ...]:
        spoken: dict[str, float] = {}
        for segment in segments:
            if segment.speaker in self._speakers:
                spoken[segment.speaker] = spoken.get(segment.speaker, 0.0) + max(
                    0.0, segment.end - segment.start
                )
        if not self._regrouped:
            return tuple(self._speakers.values())
        return tuple(
            replace(self._speakers[label], speech_seconds=seconds)
            if label in self._regrouped
            else self._speakers[label]
            for label, seconds in spoken.items()
        )

    def _summary(self) -> str:
        parts = [_several(self._words, "word")] if self._words else []
        parts += [note.format(_several(count, "segment")) for note, count in self._tally.items()]
        parts += self._notes
        if len(parts) > MAX_SUMMARY_PARTS:
            parts[MAX_SUMMARY_PARTS:] = [f"{len(parts) - MAX_SUMMARY_PARTS} more"]
        return ", ".join(parts) or "nothing"


def _cut_words(words: Sequence[Word], position: int) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Returns the words before and after a code point of their text. A word in which it stands is cut, and its time
    shared out by the number of characters."""
    left: list[Word] = []
    right: list[Word] = []
    at = 0
    for word in words:
        ends = at + len(word.text)
        if ends <= position:
            left.append(word)
        elif at >= position:
            right.append(word)
        else:
            head, tail = word.text[: position - at], word.text[position - at :]
            size, whole = len(head.strip()), len(word.text.strip())
            middle = min(word.end, word.start + (word.end - word.start) * size / whole)
            if head.strip():
                left.append(replace(word, text=head, end=middle))
            if tail.strip():
                right.append(replace(word, text=tail, start=middle if head.strip() else word.start))
        at = ends
    left[-1] = replace(left[-1], text=left[-1].text.rstrip())
    right[0] = replace(right[0], text=right[0].text.lstrip())
    return tuple(left), tuple(right)


def _joined(parts: Sequence[Segment]) -> Segment:
    texts: list[str] = []
    words: list[Word] = []
    at = parts[0].start
    for part in parts:
        if not part.text:
            continue
        glue = " " if texts and not (is_unspaced(texts[-1][-1]) and is_unspaced(part.text[0])) else ""
        texts.append(glue + part.text)
        for number, word in enumerate(words_of(part)):
            start = max(at, word.start)
            at = max(start, word.end)
            text = glue + word.text if number == 0 else word.text
            words.append(Word(text, start, at, word.probability))
    first = parts[0]
    return replace(
        first,
        end=max(at, *(part.end for part in parts)),
        text="".join(texts),
        words=tuple(words) if any(part.words for part in parts) else (),
        average_log_probability=_mean(parts, lambda part: part.average_log_probability),
        no_speech_probability=_mean(parts, lambda part: part.no_speech_probability),
        channel=first.channel if all(part.channel == first.channel for part in parts) else None,
    )


def _mean(parts: Sequence[Segment], value: Callable[[Segment], float | None]) -> float | None:
    """Returns the mean over the parts by the length of their texts; None where one has no value."""
    weights = [len(part.text) for part in parts]
    values = [value(part) for part in parts]
    if any(each is None for each in values) or not sum(weights):
        return None
    return sum(weight * (each or 0.0) for weight, each in zip(weights, values, strict=True)) / sum(weights)


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SUMMARY_CHARACTERS else f"{text[:MAX_SUMMARY_CHARACTERS]}…"
