"""Which words of a growing hypothesis will stay: LocalAgreement."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Scripts that are written without spaces: each character is a unit of its own.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNITS = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_UNSPACED_CHARACTER = re.compile(rf"[{_UNSPACED}]")


def words_of(text: str) -> tuple[str, ...]:
    """Returns the units that are compared: words with the white space before them, or the characters of scripts that
    are written without spaces. Joined they are `text` without the white space at its end."""
    return tuple(_UNITS.findall(text))


def join(texts: Sequence[str]) -> str:
    """Joins pieces of text, with a space between them unless their script has none."""
    joined = ""
    for text in texts:
        if (
            joined
            and text
            and not (_UNSPACED_CHARACTER.match(joined[-1]) and _UNSPACED_CHARACTER.match(text[0]))
        ):
            joined += " "
        joined += text
    return joined


def compared(word: str) -> str:
    """Returns what of a word counts: not its case, and no punctuation around it."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(character for character in folded if character.isalnum()) or folded.strip()


def common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """Returns how many words two hypotheses begin with alike."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if compared(one) != compared(other):
            return index
    return min(len(first), len(second))


class LocalAgreement:
    """LocalAgreement-2 (Liu et al. 2020, https://arxiv.org/abs/2005.11185; used with Whisper by Macháček et al.
    2023, https://arxiv.org/abs/2307.14743): words are stable once two hypotheses in a row begin with them. The earlier
    one's last word does not count: its sound was cut off.

    The stable words never change. They are not given back to the decoder as a prefix: with Whisper that caused loops.
    """

    def __init__(self) -> None:
        self._stable: tuple[str, ...] = ()
        self._previous: tuple[str, ...] = ()

    @property
    def stable(self) -> tuple[str, ...]:
        """The words that stay."""
        return self._stable

    def update(self, hypothesis: Sequence[str]) -> tuple[str, ...]:
        """Takes the next hypothesis of the whole utterance and returns the words after the stable ones."""
        rest = self.rest(hypothesis)
        agreed = common_prefix(rest, self.rest(self._previous)[:-1])
        self._previous = tuple(hypothesis)
        self._stable += tuple(rest[:agreed])
        return tuple(rest[agreed:])

    def rest(self, hypothesis: Sequence[str]) -> Sequence[str]:
        """Returns the words of a hypothesis that come after the stable ones."""
        return hypothesis[split_after(self._stable, hypothesis) :]


def split_after(stable: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Returns how many words of a hypothesis stand for the stable ones: where it begins otherwise than they do, the
    prefix that is nearest to them in edit distance, and of equally near ones the one nearest in length."""
    if common_prefix(stable, hypothesis) == len(stable):
        return len(stable)
    words = [compared(word) for word in hypothesis]
    distances = list(range(len(words) + 1))
    for row, word in enumerate(map(compared, stable), 1):
        diagonal, distances[0] = distances[0], row
        for column, other in enumerate(words, 1):
            substituted = diagonal + (word != other)
            diagonal = distances[column]
            distances[column] = min(substituted, distances[column] + 1, distances[column - 1] + 1)
    return min(range(len(distances)), key=lambda split: (distances[split], abs(split - len(stable))))
