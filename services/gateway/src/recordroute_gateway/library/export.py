"""Renders a recording's texts as files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from recordroute_gateway.library.records import Minutes, Recording, Segment, Transcript

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
    },
}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


def clock(seconds: float, *, separator: str = "", digits: int = 0) -> str:
    """Returns a time as HH:MM:SS, with `digits` decimals after `separator`."""
    units = round(seconds * 10**digits)
    whole, fraction = divmod(units, 10**digits)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{text}{separator}{fraction:0{digits}d}" if digits else text


def _spoken(segment: Segment) -> str:
    return f"{segment.speaker}: {segment.text}" if segment.speaker else segment.text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def to_txt(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """One line a segment: `[HH:MM:SS - HH:MM:SS] text`."""
    return "".join(
        f"[{clock(segment.start)} - {clock(segment.end)}] {_one_line(_spoken(segment))}\n"
        for segment in transcript.with_names().segments
    )


def to_md(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> str:
    """Title, minutes with the times that they rest on, transcript."""

    def escaped(text: str) -> str:
        return _MARKDOWN.sub(r"\\\1", _one_line(text))

    titles = SECTION_TITLES.get(minutes.language if minutes else transcript.language, SECTION_TITLES["en"])
    lines = [f"# {escaped(recording.title)}", ""]
    lines += [f"{recording.recorded_at:%Y-%m-%d %H:%M} UTC · {clock(transcript.duration)}", ""]
    if minutes is not None:
        lines += [f"## {titles['minutes']}", ""]
        if minutes.overview:
            lines += [escaped(minutes.overview), ""]
        for section in minutes.sections:
            # Minutes of before templates have no headings of their own.
            lines += [f"### {escaped(section.title) or titles.get(section.kind, section.kind)}", ""]
            for item in section.items:
                places = ", ".join(clock(evidence.start) for evidence in item.evidence)
                lines.append(f"- {escaped(item.text)} ({places})")
                lines += [f"  - {escaped(field.name)}: {escaped(field.value)}" for field in item.fields]
            lines.append("")
    lines += [f"## {titles['transcript']}", ""]
    for segment in transcript.with_names().segments:
        lines += [f"**{clock(segment.start)}** {escaped(_spoken(segment))}", ""]
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
    """Everything, with times in seconds."""
    return json.dumps(
        {
            "recording": {
                "id": recording.id,
                "title": recording.title,
                "file_name": recording.file_name,
                "recorded_at": recording.recorded_at.isoformat(),
                "created_at": recording.created_at.isoformat(),
            },
            "transcript": transcript.to_json(),
            "minutes": minutes.to_json() if minutes is not None else None,
        },
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
