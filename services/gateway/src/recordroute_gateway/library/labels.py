"""What people write on recordings, made fit to be kept, compared, sorted and searched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from recordroute_runtime.errors import InvalidInput

# Enough to tell titles apart, and little enough for every database's index.
KEY_CHARACTERS = 200
LONGEST_NUMBER = 999
_NUMBER = re.compile(r"\d+")
# Accents of Latin, Greek and Cyrillic letters; marks of other scripts are letters of their own.
_ACCENTS = re.compile("[\u0300-\u036f]+")


def clean_line(text: str) -> str:
    """Returns a text as one line in Unicode's composed form (NFC), without control characters and outer spaces."""
    spaced = " ".join(text.split())
    visible = "".join(
        character for character in spaced if unicodedata.category(character) not in ("Cc", "Cs")
    )
    return unicodedata.normalize("NFC", visible).strip()


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Returns tags as they are kept: clean, each once, sorted. Raises InvalidInput (BAD_LABEL) for one of nothing."""
    cleaned = {clean_line(tag) for tag in tags}
    if "" in cleaned:
        raise InvalidInput("BAD_LABEL", "a tag needs something to be read")
    return tuple(sorted(cleaned))


def clean_folder(folder: str) -> str:
    """Returns a folder as it is kept: clean names joined by "/". Raises InvalidInput (BAD_LABEL) for empty names."""
    if not folder:
        return ""
    names = [clean_line(name) for name in folder.split("/")]
    if "" in names:
        raise InvalidInput("BAD_LABEL", f"{clean_line(folder)!r} is not a folder: a name in it is empty")
    return "/".join(names)


def comparable(text: str) -> str:
    """Returns the form in which texts are equal that differ in case, width or composition only (NFKC_Casefold of
    Unicode's DerivedNormalizationProps, but for ignorable characters)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\0", "")


def title_key(title: str) -> str:
    """Returns what titles are sorted by, code point by code point: case and accents do not matter, and numbers count by
    their value ("Talk 2" comes before "Talk 10")."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", clean_line(title)).casefold())
    return _NUMBER.sub(_number_key, unicodedata.normalize("NFC", plain))[:KEY_CHARACTERS]


def _number_key(number: re.Match[str]) -> str:
    digits = "".join(str(unicodedata.decimal(digit)) for digit in number.group()[:LONGEST_NUMBER]).lstrip("0")
    return f"{len(digits):03d}{digits}"


def search_text(title: str, file_name: str, tags: Iterable[str], speakers: Iterable[str]) -> str:
    """Returns what the words of a text filter are looked for in, a line each."""
    return comparable("\n".join((title, file_name, *tags, *speakers)))
