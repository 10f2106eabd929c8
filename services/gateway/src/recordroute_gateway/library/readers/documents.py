"""Reads the text of a document: `python -m recordroute_gateway.library.readers.documents`.

It takes ["look" or "read", PATH, "pdf" or "text"] on standard input, and prints what it found, both as JSON.
`look` prints {"page_count": ..., "recorded_at": ...}: it reads as far as is needed to know that there is text. `read`
prints the blocks and the language as well: [[text, page, line], ...], page and line from 1 and 0 where they mean
nothing.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recordroute_gateway.library.readers.confine import confine
from recordroute_gateway.library.readers.encodings import decode_text
from recordroute_gateway.library.readers.languages import detect_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CPU_SECONDS = 60.0
MEMORY_BYTES = 2 << 30
# What fits into one message to the services that read it, with room to spare.
MOST_TEXT_BYTES = 3 << 20
MOST_PAGES = 20_000
# A text file of more bytes holds more text than that in any encoding.
MOST_FILE_BYTES = 4 * MOST_TEXT_BYTES
# A block is what minutes quote and answers cite: a paragraph, or some sentences of a long one.
LONG_BLOCK = 400
# A sentence without an end is cut.
LONGEST_BLOCK = 4000
# Enough of a document to tell its language.
SAMPLE_BLOCKS = 200

_SENTENCE_END = re.compile(r"[.!?。！？…]+[\"'”’」』)\]]*(?=\s)|\n")
_ITEM = re.compile(
    r"\s*(?:#{1,6}\s|[-*+•‣▪◦·–]\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s|[>|]|```|~~~|[①-⑳]|[가-하][.)]\s)"
)
_ENDED = re.compile(r"[.!?。！？…:;][\"'”’」』)\]]*\s*$")
# Soft hyphens at the ends of lines, as PDFium gives them.
_HYPHEN = re.compile("[\ufffe\u00ad\x02]\r?\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_PDF_TIME = re.compile(r"D:(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(?:(Z)|([+-])(\d{2})'?(\d{2})?)?")

Block = tuple[str, int, int]


class Refused(Exception):
    """The document can't be taken; the arguments are the stable reason and the sentence."""


def paragraphs(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yields the paragraphs of a text with the numbers of their first lines, from 1.

    An empty line ends one, and an item of a list or a heading begins one.
    """
    start, paragraph = 1, list[str]()
    for number, line in enumerate(lines, 1):
        if paragraph and (not line.strip() or _ITEM.match(line)):
            yield start, paragraph
            paragraph = []
        if line.strip():
            start = start if paragraph else number
            paragraph.append(line.rstrip())
            if line.lstrip().startswith("#") and _ITEM.match(line):
                yield start, paragraph
                paragraph = []
    if paragraph:
        yield start, paragraph


def page_paragraphs(text: str) -> Iterator[str]:
    """Yields the paragraphs of a page, whose text has no empty lines.

    A line that ends a sentence and leaves a good part of the width free ends its paragraph; so does a short line
    without an end, a heading.
    """
    lines = [line.strip() for line in text.splitlines()]
    width = max(map(len, lines), default=0)
    paragraph: list[str] = []
    for line in lines:
        if paragraph and (not line or _ITEM.match(line)):
            yield "\n".join(paragraph)
            paragraph = []
        if line:
            paragraph.append(line)
            if len(line) < (0.8 if _ENDED.search(line) else 0.5) * width:
                yield "\n".join(paragraph)
                paragraph = []
    if paragraph:
        yield "\n".join(paragraph)


def split_block(text: str) -> Iterator[tuple[int, str]]:
    """Yields a paragraph in blocks of whole sentences, each with the position that it begins at."""
    start = 0
    while len(text) - start > LONG_BLOCK:
        end = 0
        for match in _SENTENCE_END.finditer(text, start, start + LONGEST_BLOCK):
            if match.group() == "\n" and match.end() - start < LONGEST_BLOCK // 2:
                # A line break ends a block only where no sentence does.
                continue
            if end and match.end() - start > LONG_BLOCK:
                break
            end = match.end()
        if not end:
            space = text.rfind(" ", start, start + LONGEST_BLOCK)
            end = space if space > start else start + LONGEST_BLOCK
        yield start, text[start:end]
        start = end
    yield start, text[start:]


def _blocks(text: str, page: int, line: int) -> Iterator[Block]:
    for _, block in split_block(text):
        stripped = block.strip()
        if stripped:
            white = len(block) - len(block.lstrip())
            yield stripped, page, line + block.count("\n", 0, white) if line else 0
        # Pages do not count lines.
        line += block.count("\n") if line else 0


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _bounded(blocks: Iterable[Block]) -> Iterator[Block]:
    size = 0
    for block in blocks:
        # What a message spends beside the text.
        size += len(block[0].encode()) + 24
        if size > MOST_TEXT_BYTES:
            raise Refused(
                "DOCUMENT_TOO_LONG", f"the document holds more than {MOST_TEXT_BYTES >> 20} MiB of text"
            )
        yield block


def _text_blocks(path: Path) -> Iterator[Block]:
    if path.stat().st_size > MOST_FILE_BYTES:
        raise Refused(
            "DOCUMENT_TOO_LONG", f"the document holds more than {MOST_TEXT_BYTES >> 20} MiB of text"
        )
    text = decode_text(path.read_bytes())
    if text is None:
        raise Refused("MEDIA_UNREADABLE", "the file is not a text in any encoding that is known")
    for line, lines in paragraphs(_clean(text).split("\n")):
        yield from _blocks("\n".join(lines), 0, line)


class PdfFile:
    """A PDF by PDFium."""

    def __init__(self, path: Path) -> None:
        import pypdfium2
        from pypdfium2 import raw

        try:
            self._document = pypdfium2.PdfDocument(path)
            self.page_count = len(self._document)
        except pypdfium2.PdfiumError as error:
            if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
                raise Refused(
                    "DOCUMENT_ENCRYPTED",
                    "the PDF is protected with a password; save it without one and add it again",
                ) from error
            raise Refused("MEDIA_UNREADABLE", "the PDF is broken and can't be read") from error
        if not self.page_count:
            raise Refused("MEDIA_UNREADABLE", "the PDF has no pages")
        if self.page_count > MOST_PAGES:
            raise Refused("DOCUMENT_TOO_LONG", f"the PDF has more than {MOST_PAGES} pages")

    def recorded_at(self) -> str | None:
        """When it was made, as it says; ISO 8601."""
        match = _PDF_TIME.match(self._document.get_metadata_value("CreationDate"))
        if match is None:
            return None
        *digits, utc, sign, hours, minutes = match.groups()
        zone = UTC if utc else None
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            zone = timezone(-offset if sign == "-" else offset)
        try:
            return datetime(*(int(part or 0) for part in digits), tzinfo=zone).isoformat()  # type: ignore[misc,arg-type]
        except ValueError:
            return None

    def blocks(self) -> Iterator[Block]:
        """Yields the text of page after page; a page that is broken has none."""
        import pypdfium2

        for index in range(self.page_count):
            try:
                page = self._document[index]
                text_page = page.get_textpage()
                # A page of more characters is no page, and would be laid out whole.
                text = text_page.get_text_range(0, min(text_page.count_chars(), MOST_TEXT_BYTES))
            except pypdfium2.PdfiumError:
                continue
            text_page.close()
            page.close()
            for paragraph in page_paragraphs(_clean(_HYPHEN.sub("", text))):
                yield from _blocks(paragraph, index + 1, 0)


def _run(what: str, path: Path, kind: str) -> dict[str, Any]:
    try:
        pdf = PdfFile(path) if kind == "pdf" else None
        blocks = _bounded(pdf.blocks() if pdf else _text_blocks(path))
        first = next(blocks, None)
        if first is None and pdf:
            raise Refused(
                "DOCUMENT_WITHOUT_TEXT",
                "the PDF has no text layer: it was probably scanned; run it through a text recognition (OCR) first",
            )
        if first is None:
            raise Refused("DOCUMENT_WITHOUT_TEXT", "the document holds no text")
        found: dict[str, Any] = {
            "page_count": pdf.page_count if pdf else 0,
            "recorded_at": pdf.recorded_at() if pdf else None,
        }
        if what == "look":
            # To the end as well: a document that is too long is better refused now than by its workflow.
            for _ in blocks:
                pass
        else:
            found["blocks"] = whole = [first, *blocks]
            found["language"], found["language_probability"] = detect_language(
                " ".join(text for text, _, _ in whole[:SAMPLE_BLOCKS])
            )
    except Refused as error:
        reason, message = error.args
        return {"reason": reason, "message": message}
    except MemoryError:
        return {"reason": "MEDIA_UNREADABLE", "message": "the document takes too much memory to be read"}
    return found


if __name__ == "__main__":
    confine(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    what, path, kind = json.load(sys.stdin)
    json.dump(_run(what, Path(path), kind), sys.stdout)
