"""Finds out how a text file is encoded."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HANGUL = re.compile(r"[가-힣]")
# The commonest syllables of written Korean: a good fifth of any text, and rare where another language's bytes are
# misread as Korean.
_COMMON_HANGUL = frozenset("이다는의에을가고은한를하지로기도사서리인어시대나자")
COMMON_SHARE = 0.15
# Beside ASCII, what western European texts consist of.
_WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœßúùûüýÿÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜ‘’“”„«»–—…•°§€£©®\xa0·¿¡ºª")
# So much of a file tells what the rest is in.
SAMPLE_BYTES = 256 << 10


def decode_text(data: bytes) -> str | None:
    """Returns the text, or None where the bytes are none.

    Byte order marks and strict UTF-8 come first, then UTF-16 without a mark, then Korean (CP949, which holds EUC-KR)
    and western European, which general detectors often miss in short texts, and last what charset-normalizer finds.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    for wide in ("utf-8", _wide(data)):
        text = _decoded(data, wide)
        if text is not None:
            return text
    if b"\x00" in data[:SAMPLE_BYTES]:
        return None
    korean = _decoded(data, "cp949")
    if korean is not None and _is_korean(korean):
        return korean
    western = _decoded(data, "cp1252")
    if western is not None and _is_western(western):
        return western
    return _detected(data)


def _decoded(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Texts have hardly any control characters; binaries that happen to decode are full of them.
    sample = text[:SAMPLE_BYTES]
    return text if len(_CONTROL.findall(sample)) <= len(sample) // 200 else None


def _wide(data: bytes) -> str | None:
    """Returns the UTF-16 that bytes without a mark are in, by where ASCII's zero bytes stand."""
    sample = data[: SAMPLE_BYTES & ~1]
    pairs = len(sample) // 2
    low, high = sample[::2].count(0), sample[1::2].count(0)
    if pairs and high > pairs * 0.1 and low < high * 0.1:
        return "utf-16-le"
    if pairs and low > pairs * 0.1 and high < low * 0.1:
        return "utf-16-be"
    return None


def _is_korean(text: str) -> bool:
    found = _HANGUL.findall(text[:SAMPLE_BYTES])
    other = sum(character > "\x7f" for character in text[:SAMPLE_BYTES])
    common = sum(character in _COMMON_HANGUL for character in found)
    return len(found) > other * 0.7 and common > len(found) * COMMON_SHARE


def _is_western(text: str) -> bool:
    other = [character for character in text[:SAMPLE_BYTES] if character > "\x7f"]
    # Where the common alphabets are others, most letters are beside ASCII.
    return len(other) < len(text) * 0.2 and sum(map(_WESTERN.__contains__, other)) > len(other) * 0.95


def _detected(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:SAMPLE_BYTES]).best()
    if best is None:
        return None
    text = data.decode(best.encoding, errors="replace")
    return text if _CONTROL.search(text[:SAMPLE_BYTES]) is None else None
