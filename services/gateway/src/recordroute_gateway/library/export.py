"""Renders a recording's texts as files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from recordroute_runtime.errors import PreconditionFailed

from recordroute_gateway.library.records import (
    Evidence,
    Minutes,
    MinutesSection,
    Recording,
    RecordingKind,
    Segment,
    Transcript,
)

# Of the JSON format: a new number where a reader of the old one would misread it.
JSON_VERSION = 1

SECTION_TITLES = {
    "en": {
        "overview": "Overview",
        "topics": "Topics",
        "key_points": "Key points",
        "decisions": "Decisions",
        "action_items": "Action items",
        "risks": "Risks and issues",
        "next_steps": "Next steps",
        "custom": "More",
        "minutes": "Minutes",
        "transcript": "Transcript",
        "text": "Text",
        "speakers": "Speakers",
        "speaker": "Speaker",
        "speech_time": "Speech time",
        "page": "p. {}",
        "line": "line {}",
        "pages": "{} pages",
    },
    "ko": {
        "overview": "개요",
        "topics": "주제",
        "key_points": "주요 내용",
        "decisions": "결정 사항",
        "action_items": "할 일",
        "risks": "위험 및 문제",
        "next_steps": "다음 단계",
        "custom": "기타",
        "minutes": "회의록",
        "transcript": "녹취록",
        "text": "본문",
        "speakers": "화자",
        "speaker": "이름",
        "speech_time": "발화 시간",
        "page": "{}쪽",
        "line": "{}행",
        "pages": "{}쪽",
    },
}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


def clock(seconds: float, *, separator: str = "", digits: int = 0) -> str:
    """Returns a time as HH:MM:SS, with `digits` decimals after `separator`."""
    units = round(seconds * 10**digits)
    whole, fraction = divmod(units, 10**digits)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{text}{separator}{fraction:0{digits}d}" if digits else text


def titles_of(language: str) -> dict[str, str]:
    """Returns the words of an export in a language, or in English."""
    return SECTION_TITLES.get(language, SECTION_TITLES["en"])


def section_title(section: MinutesSection, titles: dict[str, str]) -> str:
    """Returns the heading of a section; minutes of before templates have none of their own."""
    return section.title or titles.get(section.kind, section.kind)


def place(of: Segment | Evidence, titles: dict[str, str]) -> str:
    """Returns where something is said, or stands: its time, its page, or its line."""
    if of.page is not None:
        return titles["page"].format(of.page)
    if of.line is not None:
        return titles["line"].format(of.line)
    return clock(of.start)


def facts(recording: Recording, transcript: Transcript, titles: dict[str, str]) -> str:
    """Returns the line below the title: when it was recorded, and how long it is."""
    when = f"{recording.recorded_at:%Y-%m-%d %H:%M} UTC"
    if recording.kind is not RecordingKind.DOCUMENT:
        return f"{when} · {clock(transcript.duration)}"
    return f"{when} · {titles['pages'].format(recording.page_count)}" if recording.page_count else when


def _spoken(segment: Segment) -> str:
    return f"{segment.speaker}: {segment.text}" if segment.speaker else segment.text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def to_txt(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """One line a segment: `[HH:MM:SS - HH:MM:SS] text`; of a document `[p. 3] text` or `[line 12] text`."""
    titles = titles_of(transcript.language)

    def where(segment: Segment) -> str:
        if recording.kind is RecordingKind.DOCUMENT:
            return place(segment, titles)
        return f"{clock(segment.start)} - {clock(segment.end)}"

    return "".join(
        f"[{where(segment)}] {_one_line(_spoken(segment))}\n" for segment in transcript.with_names().segments
    )


def to_md(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """Title, minutes with the times that they rest on, transcript."""

    def escaped(text: str) -> str:
        return _MARKDOWN.sub(r"\\\1", _one_line(text))

    titles = titles_of(minutes.language if minutes else transcript.language)
    lines = [f"# {escaped(recording.title)}", ""]
    lines += [facts(recording, transcript, titles), ""]
    if minutes is not None:
        lines += [f"## {titles['minutes']}", ""]
        if minutes.overview:
            lines += [escaped(minutes.overview), ""]
        for section in minutes.sections:
            lines += [f"### {escaped(section_title(section, titles))}", ""]
            for item in section.items:
                places = ", ".join(place(evidence, titles) for evidence in item.evidence)
                lines.append(f"- {escaped(item.text)} ({places})")
                lines += [f"  - {escaped(field.name)}: {escaped(field.value)}" for field in item.fields]
            lines.append("")
    is_document = recording.kind is RecordingKind.DOCUMENT
    lines += [f"## {titles['text' if is_document else 'transcript']}", ""]
    for segment in transcript.with_names().segments:
        lines += [f"**{place(segment, titles)}** {escaped(_spoken(segment))}", ""]
    return "\n".join(lines)


def to_srt(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """SubRip: numbered cues, comma before the milliseconds."""
    return "\n".join(
        f"{number}\n{clock(segment.start, separator=',', digits=3)} --> "
        f"{clock(segment.end, separator=',', digits=3)}\n{_one_line(_spoken(segment))}\n"
        for number, segment in enumerate(transcript.segments, 1)
    )


def to_vtt(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """WebVTT (W3C): speakers as voice spans."""

    def escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    cues = ["WEBVTT\n"]
    for segment in transcript.with_names().segments:
        voice = f"<v {escaped(segment.speaker)}>" if segment.speaker else ""
        cues.append(
            f"{clock(segment.start, separator='.', digits=3)} --> "
            f"{clock(segment.end, separator='.', digits=3)}\n{voice}{escaped(_one_line(segment.text))}\n"
        )
    return "\n".join(cues)


def to_json(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """Everything, with times in seconds: docs/export.md."""
    return json.dumps(
        {
            "format": "recordroute-export",
            "version": JSON_VERSION,
            "recording": {
                "id": recording.id,
                "title": recording.title,
                "file_name": recording.file_name,
                "recorded_at": recording.recorded_at.isoformat(),
                "created_at": recording.created_at.isoformat(),
                "kind": recording.kind.value,
                "media_type": recording.media_type,
                "duration_seconds": recording.duration_seconds,
                "page_count": recording.page_count,
                "language": recording.language,
                "folder": recording.folder,
                "tags": list(recording.tags),
            },
            "transcript": transcript,
            "minutes": minutes,
        },
        default=vars,
        ensure_ascii=False,
        indent=2,
    )


Renderer = Callable[[Recording, Transcript, Minutes | None], str]
RENDERERS: dict[str, Renderer] = {
    "txt": to_txt,
    "md": to_md,
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
}
# What needs times.
SUBTITLES = ("srt", "vtt")


def render(name: str, recording: Recording, transcript: Transcript, minutes: Minutes | None) -> bytes:
    """Returns a recording's texts as a file of a format: one of RENDERERS, or "docx".

    Raises PreconditionFailed (NO_TIMES) for subtitles of a document.
    """
    if name in SUBTITLES and recording.kind is RecordingKind.DOCUMENT:
        raise PreconditionFailed("NO_TIMES", "a document has no times to make subtitles of")
    if name == "docx":
        # Its library takes a while to import, and most exports do without.
        from recordroute_gateway.library.export_docx import to_docx

        return to_docx(recording, transcript, minutes)
    return RENDERERS[name](recording, transcript, minutes).encode()
