"""Renders a recording's texts as an Office Open XML text document (ECMA-376)."""

from __future__ import annotations

import io
import re
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from recordroute_gateway.library.export import clock, facts, place, section_title, titles_of
from recordroute_gateway.library.records import Minutes, Recording, RecordingKind, Segment, Transcript

LATIN_FONT = "Calibri"
# On every Windows and in every Office since 2007; others put their own Korean font in its place.
KOREAN_FONT = "Malgun Gothic"
GREY = RGBColor(0x66, 0x66, 0x66)
# What XML 1.0 has no place for.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_docx(recording: Recording, transcript: Transcript, minutes: Minutes | None) -> bytes:
    """Title, minutes with the places that they rest on, speakers, transcript."""
    titles = titles_of(minutes.language if minutes else transcript.language)
    document = Document()
    _set_fonts(document, minutes.language if minutes else transcript.language)
    properties = document.core_properties
    properties.title = _line(recording.title)[:255]
    properties.author = "RecordRoute"
    properties.created = properties.modified = recording.recorded_at
    properties.language = transcript.language
    document.add_heading(_line(recording.title), level=0)
    _grey(document.add_paragraph(), facts(recording, transcript, titles))
    if minutes is not None:
        _add_minutes(document, minutes, titles)
    _add_speakers(document, transcript, titles)
    is_document = recording.kind is RecordingKind.DOCUMENT
    document.add_heading(titles["text" if is_document else "transcript"], level=1)
    for segment in transcript.with_names().segments:
        _add_segment(document, segment, titles)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _line(text: str) -> str:
    return _NOT_XML.sub("", " ".join(text.split()))


def _grey(paragraph: Any, text: str) -> None:
    run = paragraph.add_run(text)
    run.font.color.rgb = GREY
    run.font.size = Pt(9)


def _add_minutes(document: Any, minutes: Minutes, titles: dict[str, str]) -> None:
    document.add_heading(titles["minutes"], level=1)
    if minutes.overview:
        document.add_paragraph(_line(minutes.overview))
    for section in minutes.sections:
        document.add_heading(_line(section_title(section, titles)), level=2)
        for item in section.items:
            paragraph = document.add_paragraph(_line(item.text), style="List Bullet")
            places = ", ".join(place(evidence, titles) for evidence in item.evidence)
            if places:
                _grey(paragraph, f"  ({places})")
            for part in item.fields:
                text = f"{_line(part.name)}: {_line(part.value)}"
                document.add_paragraph(text, style="List Bullet 2")


def _add_speakers(document: Any, transcript: Transcript, titles: dict[str, str]) -> None:
    if not transcript.speakers:
        return
    document.add_heading(titles["speakers"], level=1)
    table = document.add_table(rows=1, cols=2, style="Light List Accent 1")
    for cell, text in zip(table.rows[0].cells, (titles["speaker"], titles["speech_time"]), strict=True):
        cell.text = text
    for speaker in transcript.speakers:
        cells = table.add_row().cells
        cells[0].text = _line(speaker.name or speaker.label)
        cells[1].text = clock(speaker.speech_seconds)


def _add_segment(document: Any, segment: Segment, titles: dict[str, str]) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(4)
    _grey(paragraph, f"{place(segment, titles)}  ")
    if segment.speaker:
        paragraph.add_run(f"{_line(segment.speaker)}: ").bold = True
    paragraph.add_run(_line(segment.text))


def _set_fonts(document: Any, language: str) -> None:
    """Names a font for Korean in every style: the template's own leave it to the reader's theme, which often has none
    that knows Hangul."""
    styles = document.styles.element
    for fonts in styles.iter(qn("w:rFonts")):
        for script in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{script}"), None)
        for script, font in (("ascii", LATIN_FONT), ("hAnsi", LATIN_FONT), ("eastAsia", KOREAN_FONT)):
            fonts.set(qn(f"w:{script}"), font)
    if language == "ko":
        for tag in styles.iter(qn("w:lang")):
            tag.set(qn("w:eastAsia"), "ko-KR")
